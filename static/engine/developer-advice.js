// What a web developer has to do, told in the console, once.

/** @type {Record<string, (origin: string, page: string) => string>} */
const ADVICE = {
  csp: (origin) =>
    `this page's Content-Security-Policy does not let it connect to ${origin}: add that to connect-src. ` +
    "Policies in headers that pass through the middleware get it by themselves, policies in <meta> do not.",
  cors: (origin, page) =>
    `${origin} answers, but not to pages of ${page}: its CORS settings do not name them. ` +
    "The middleware sets them when an upload begins; does something in between remove them?",
  "not-authenticated": (origin) =>
    `${origin} does not say who this is. If nobody has to log in here, the middleware needs anonymous=True; ` +
    "if somebody has, its identify= must find out who.",
  "cross-site": (origin, page) => `${origin} takes no uploads from pages of ${page}: the middleware's origins= must name it.`,
};

/** @type {Set<string>} */
const given = new Set();

/**
 * @param {string} about a failure's code or cause
 * @param {string} url only its origin is told
 */
export function advise(about, url) {
  const text = ADVICE[about]?.(new URL(url).origin, globalThis.location?.origin);
  if (!text || given.has(about)) return;
  given.add(about);
  console.error(`direct-upload: ${text}`);
}
