/** Why a call is in no sum, or has no cost, in a sentence; the words are the server's (docs: names). */

export const NOT_COUNTED: Record<string, string> = {
  cumulative: "It repeats the sum of calls below it; those are counted.",
  unattributed: "It is a sum, but no call was found below it. Costs show it apart.",
  duplicate: "Another row tells of the same request, and that one is counted.",
  wrapper: "It wraps another span of the same request, and that one is counted.",
  supplement: "It brings tokens or messages of a request that another span tells of.",
};

export const UNPRICED: Record<string, string> = {
  failed_without_usage: "The request failed, and nobody said that tokens were used.",
  tokens_missing: "The request succeeded, but the telemetry does not say how many tokens it used.",
  model_missing: "No model is named.",
  unknown_provider: "Nothing tells who served the request.",
  unknown_model: "The provider is known, the model is in no price list of it. Set a price, then reprice.",
  no_price_at_date: "The model has prices, but none that was in force when the call started.",
  tier_unknown: "There is no price for the service tier or for a class of tokens that was used.",
};

export const PRICE_SOURCE: Record<string, string> = {
  override: "your own prices",
  watchglass: "prices that watchglass ships, each with its source",
  "genai-prices": "the dated prices of genai-prices",
  litellm: "LiteLLM’s price map, undated",
};
