// A portable risk model (chw-model/2) on the phone: the same numbers as on the server.
//
// The form is described in docs/model_format.md. Nothing here knows the page: a file's text
// and a person's values go in, an estimate with its exact reasons comes out. A test holds it
// to the Python evaluator on golden vectors, to 1e-12.

export const FORMAT = "chw-model/2";
const MOST_SURE = 13.815509557935518; // log-odds of 1 - 1e-6
const MAX_REASONS = 5;
const NOTHING = 1e-9;
const MOST_NAMED = 3;
const WEIGHTIEST = 12;
const ASKABLE = ["vitals", "laboratory", "lifestyle"];

/** The model in a file's text. Throws an Error that says what is wrong. */
export function readModel(text) {
  const content = JSON.parse(text);
  if (content === null || typeof content !== "object" || content.format !== FORMAT) {
    throw new Error(`the model file is not of the form ${FORMAT}`);
  }
  const features = new Map(content.features.map((feature) => [feature.name, feature]));
  for (const term of content.terms) {
    if (!features.has(term.feature)) throw new Error("a term has no declared feature");
  }
  return { content, features };
}

/**
 * What the model says of one person.
 *
 * `person` holds numbers, texts (choices), true or false (flags) by name of the feature; what
 * is null or absent is not known. Gives state, note, risk (null unless estimated), logOdds,
 * contributions by feature, the constant that they add to, band and reasons.
 */
export function estimate(model, person, language = "en") {
  const { content } = model;
  const { slope, intercept, log_odds_within: within = MOST_SURE } = content.calibration;
  const contributions = {};
  let total = content.intercept;
  for (const term of content.terms) {
    const scored = scoreOf(term, person[term.feature] ?? null);
    total += scored;
    contributions[term.feature] = slope * scored;
  }
  const held = Math.min(Math.max(total, -within), within);
  const logOdds = intercept + slope * held;
  const { state, note } = judge(model, person, language);
  const estimated = state === "estimated";
  const risk = estimated ? probability(logOdds) : null;
  return {
    state,
    note,
    risk,
    logOdds,
    constant: intercept + slope * content.intercept,
    contributions,
    band: estimated ? bandOf(content.thresholds?.bands, risk) : null,
    reasons: estimated ? reasonsOf(model, person, contributions, language) : [],
  };
}

function probability(logOdds) {
  return 1 / (1 + Math.exp(-Math.min(Math.max(logOdds, -700), 700)));
}

function scoreOf(term, value) {
  if (value === null) return term.missing;
  if (term.kind === "levels") {
    const at = term.levels.indexOf(String(value));
    return at < 0 ? term.unknown : term.scores[at];
  }
  const number = Number(value); // a flag counts as 0 or 1
  if (term.kind === "steps") return term.scores[placeOf(term.cuts, number)];
  if (term.kind === "linear") return term.slope * (number - term.at);
  const place = placeOf(term.knots, number);
  const t = number - term.knots[Math.max(place - 1, 0)];
  const piece = term.pieces[place];
  let score = piece[piece.length - 1];
  for (let power = piece.length - 2; power >= 0; power -= 1) score = score * t + piece[power];
  return score;
}

/** How many borders lie at or below the value. */
function placeOf(borders, value) {
  let low = 0;
  let high = borders.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (borders[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bandOf(bands, risk) {
  if (!bands || Object.keys(bands).length === 0) return null;
  let band = "low";
  for (const name of ["moderate", "high", "very_high"]) {
    if (name in bands && risk >= bands[name]) band = name;
  }
  return band;
}

// ---- For whom the model may speak -------------------------------------------------------

function judge(model, person, language) {
  const { content, features } = model;
  const say = speaker(content, language);
  let [state, note] = ["estimated", null];
  const limits = Object.entries(content.limits ?? {});
  const needed = [...new Set([...(content.needs ?? []), ...limits.map(([name]) => name)])];
  const gaps = needed.filter((name) => (person[name] ?? null) === null);
  if (gaps.length > 0) {
    const labels = gaps.map((name) => say.label(features.get(name))).join("; ");
    [state, note] = ["not_known", say("not_known", { labels })];
  }
  for (const [name, [low, high]] of limits) {
    if ((person[name] ?? null) === null) continue;
    const value = name === "age_years" ? Math.floor(person[name]) : Number(person[name]);
    if (value < (low ?? -Infinity) || value > (high ?? Infinity)) {
      [state, note] = ["not_valid", limitText(say, features.get(name), low, high)];
    }
  }
  for (const term of [...content.terms].reverse()) {
    const feature = features.get(term.feature);
    const value = person[term.feature] ?? null;
    if (feature.kind === "number" && value !== null && !isPlausible(feature, value)) {
      [state, note] = ["not_valid", question(say, feature, value)];
    }
  }
  return { state, note: state === "estimated" ? wishes(model, person, say) : note };
}

function limitText(say, feature, low, high) {
  const label = say.label(feature);
  if (low === null) return say("holds_to", { label, high: general(high, 6) });
  if (high === null) return say("holds_from", { label, low: general(low, 6) });
  return say("holds_between", { label, low: general(low, 6), high: general(high, 6) });
}

function isPlausible(feature, value) {
  const [low, high] = feature.plausible ?? [null, null];
  return value >= (low ?? -Number.MAX_VALUE) && value <= (high ?? Number.MAX_VALUE);
}

function question(say, feature, value) {
  const label = say.label(feature);
  const unit = say.unit(feature.unit);
  const others = Object.entries(feature.other_units ?? {});
  const fits = ([, [factor, offset]]) => isPlausible(feature, value * factor + offset);
  const other = others.find(fits);
  if (other && unit) return say("other_unit", { label, unit, other: say.unit(other[0]) });
  return say(unit ? "not_plausible" : "not_plausible_number", { label, unit });
}

function wishes(model, person, say) {
  const askable = model.content.terms
    .filter((term) => ASKABLE.includes(model.features.get(term.feature).group))
    .map((term) => ({ term, weight: weightOf(term, model.features.get(term.feature)) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ term }) => term.feature)
    .filter((name) => !name.endsWith("_days_since") && !name.endsWith("_per_year"))
    .slice(0, WEIGHTIEST);
  const gaps = askable.filter((name) => (person[name] ?? null) === null).slice(0, MOST_NAMED);
  if (gaps.length === 0) return null;
  const labels = gaps.map((name) => say.label(model.features.get(name))).join("; ");
  return say("better_with", { labels });
}

/** How much a term can move the log-odds; of a curve, over the plausible range. */
function weightOf(term, feature) {
  if (term.kind === "steps") return spread(term.scores);
  if (term.kind === "levels") return spread([...term.scores, term.unknown]);
  const pair = feature.plausible ?? [null, null];
  const [low, high] = pair.includes(null) ? [0, 1] : pair;
  const points = Array.from({ length: 33 }, (_, at) => low + ((high - low) * at) / 32);
  return spread(points.map((value) => scoreOf(term, value)));
}

function spread(scores) {
  return Math.max(...scores) - Math.min(...scores);
}

// ---- Why ---------------------------------------------------------------------------------

function reasonsOf(model, person, contributions, language) {
  const say = speaker(model.content, language);
  return Object.entries(contributions)
    .filter(([, effect]) => Math.abs(effect) > NOTHING)
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a)) // stable: the earlier feature first
    .slice(0, MAX_REASONS)
    .map(([name, effect]) => reason(say, model.features.get(name), person[name] ?? null, effect));
}

function reason(say, feature, given, effect) {
  const label = say.label(feature);
  const value = valueText(say, feature, given);
  const key = given === null ? "reason_missing" : `reason_${feature.kind}`;
  return { feature: feature.name, label, value, effect, text: say(key, { label, value }) };
}

function valueText(say, feature, value) {
  if (value === null) return say("missing", {});
  if (feature.kind === "flag") return say(value ? "yes" : "no", {});
  if (feature.kind === "choice") return String(value);
  const told = feature.name === "age_years" ? Math.floor(value) : value;
  return `${numberText(told)} ${say.unit(feature.unit)}`.trim();
}

/** Four significant digits, and whole from 1000; exactly between two, the even one. */
export function numberText(value) {
  return Math.abs(value) < 1000 ? general(value, 4) : fixed(value, 0);
}

function general(value, digits) {
  if (value === 0) return "0";
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  if (exponent < -4 || exponent >= digits) {
    const [mantissa, power] = value.toExponential(digits - 1).split("e");
    const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return `${short}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  const text = fixed(value, digits - 1 - exponent);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function fixed(value, places) {
  const text = value.toFixed(places);
  const tail = Math.abs(value).toFixed(100).split(".")[1].slice(places);
  if (!/^50*$/.test(tail)) return text;
  const down = Math.abs(value).toFixed(100).slice(0, -(100 - places) || undefined);
  const kept = places === 0 ? down.replace(/\.$/, "") : down;
  const isEven = Number(kept.at(-1)) % 2 === 0;
  return isEven ? (value < 0 ? `-${kept}` : kept) : text;
}

/** What says the file's sentences in one language, and in English where it has none. */
function speaker(content, language) {
  const texts = content.texts ?? {};
  const held = texts[language] ?? {};
  const say = (key, values) =>
    (held[key] ?? texts.en?.[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  say.label = (feature) => held.labels?.[feature.name] ?? feature.label;
  say.unit = (unit) => held.units?.[unit] ?? texts.en?.units?.[unit] ?? unit ?? "";
  return say;
}

// ---- Is it the file that was written, and by whom ----------------------------------------

/** The one way to write a JSON value (RFC 8785). */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** SHA-256, in hex, of the content without its signature and without this digest. */
export async function contentDigest(content) {
  const { signature, ...bare } = content;
  const { content: own, ...digests } = bare.digests ?? {};
  const bytes = new TextEncoder().encode(canonical({ ...bare, digests }));
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** Throws unless the content is the one that its digest was made of. */
export async function checkDigest({ content }) {
  if ((await contentDigest(content)) !== content.digests?.content) {
    throw new Error("the model file was changed after it was written");
  }
}

/** Throws unless one of the trusted public keys (base64) signed the content. */
export async function checkSignature({ content }, trustedKeys) {
  const { signature, ...bare } = content;
  for (const key of trustedKeys) {
    const raw = bytesOf(key);
    const keyId = hex(await crypto.subtle.digest("SHA-256", raw)).slice(0, 16);
    if (signature?.algorithm !== "Ed25519" || signature.key_id !== keyId) continue;
    const imported = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    const message = new TextEncoder().encode(canonical(bare));
    if (await crypto.subtle.verify("Ed25519", imported, bytesOf(signature.value), message)) return;
    throw new Error("the model file was changed after it was signed");
  }
  throw new Error("the model file is not signed by a key that is trusted here");
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
