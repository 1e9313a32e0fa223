import { Link } from "@tanstack/react-router";
import { Page } from "@/kit/Page";
import { carried } from "./links";

/** An address that no page has. */
export function Lost() {
  return (
    <Page title="There is no such page">
      <p>
        The address may be of another version, or mistyped. Go to the{" "}
        <Link to="/" search={carried}>
          overview
        </Link>
        , or press <kbd>g</kbd> <kbd>t</kbd> for the traces.
      </p>
    </Page>
  );
}
