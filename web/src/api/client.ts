/** The one way to the server: typed by its OpenAPI document, with its errors as it words them. */

import { takeEarly } from "./early";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Paths that can be read. */
export type Readable = {
  [P in keyof paths]: paths[P] extends { get: unknown } ? P : never;
}[keyof paths];

type Get<P extends Readable> = paths[P] extends { get: infer G } ? G : never;
type Json<R> = R extends { content: { "application/json": infer A } } ? A : never;

/** What a path answers. */
export type Answer<P extends Readable> = Get<P> extends { responses: { 200: infer R } } ? Json<R> : never;

/** What a path takes after `?`. */
export type Query<P extends Readable> =
  Get<P> extends { parameters: { query?: infer Q } } ? NonNullable<Q> : Record<string, never>;

export type Params = Record<string, string>;
export type Values = Record<string, unknown>;

/** A refusal or a fault, worded by the server: what happened, where, and what to do. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly title: string;
  readonly where: string | null;
  readonly requestId: string | null;

  constructor(
    status: number,
    title: string,
    detail: string,
    where?: string | null,
    requestId?: string | null,
  ) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.title = title;
    this.where = where ?? null;
    this.requestId = requestId ?? null;
  }
}

/** `/api/v1/calls/{call_id}` with its parts filled in and its question behind it. */
export function address(path: string, params: Params = {}, query: Values = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) asked.append(name, String(each));
    }
  }
  const text = asked.toString();
  return text ? `${filled}?${text}` : filled;
}

/** Asks and reads JSON. Throws `ApiProblem`. */
export async function ask<A>(url: string, init?: RequestInit): Promise<A> {
  const response = await answered(url, init);
  return (response.status === 204 ? undefined : await response.json()) as A;
}

/** Changes something: sends JSON, reads JSON. Throws `ApiProblem`. */
export function send<A>(method: "POST" | "PUT" | "DELETE", url: string, body?: unknown): Promise<A> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  return ask<A>(url, { method, headers: { "Content-Type": "application/json" }, ...json });
}

async function answered(url: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const early = init?.method === undefined ? await takeEarly(url) : undefined;
    response = early ?? (await fetch(url, { credentials: "same-origin", ...init }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiProblem(
      0,
      "No answer",
      `The server at ${location.host} does not answer. Is it running? Start it with "watchglass up" or "make up".`,
    );
  }
  if (response.ok) return response;
  throw await problem(response);
}

async function problem(response: Response): Promise<ApiProblem> {
  try {
    const said = (await response.json()) as Schemas["Problem"];
    return new ApiProblem(response.status, said.title, said.detail, said.where, said.request_id);
  } catch {
    return new ApiProblem(response.status, response.statusText, `The server answered ${response.status}.`);
  }
}
