// Messages in the console that tell a web developer what to change.

/** @type {Record<string, (origin: string, page: string) => string>} */
const ADVICE = {
  csp: (origin) =>
    `this page's Content-Security-Policy forbids connections to ${origin}: add that origin to connect-src. ` +
    "The middleware adds it to policies in headers, but not to policies in <meta>. If Turbo, htmx or a router shows this " +
    "page inside a document that was loaded before, that document's policy applies: use inject=True for all pages.",
  cors: (origin, page) =>
    `${origin} answers, but its CORS settings do not allow pages of ${page}. ` +
    "The middleware sets them when an upload begins: check whether something removes them.",
  caches: (origin, page) =>
    `${origin} answers, but does not allow pages of ${page} yet. Where its proxies do not share a cache, some learn of a ` +
    "new origin or key up to a minute later. The upload goes on trying; share one memcached to avoid the wait.",
  "not-authenticated": (origin) =>
    `${origin} does not know who the user is. If nobody has to log in, the middleware needs anonymous=True. ` +
    "Otherwise its identify= must return the user.",
  cookies: (origin, page) =>
    `${origin} does not get its cookie back. Either this browser blocks cookies, or this page (of ${page}) is in a frame ` +
    "of another site or is itself on another site, such as localhost and 127.0.0.1: the cookie is SameSite=Strict.",
  "cross-site": (origin, page) =>
    `${origin} does not accept uploads from pages of ${page}: add origins=["${page}"] to the middleware. ` +
    "Sandboxed frames and files have no origin that can be added.",
};

/** @type {Set<string>} */
const given = new Set();

/**
 * Log the advice about a topic, once.
 * @param {string} topic a failure's code or cause
 * @param {string} url only its origin is logged
 */
export function advise(topic, url) {
  const text = ADVICE[topic]?.(new URL(url).origin, globalThis.location?.origin);
  if (!text || given.has(topic)) return;
  given.add(topic);
  console.error(`direct-upload: ${text}`);
}
