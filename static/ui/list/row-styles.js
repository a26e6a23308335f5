// Colours come from the page. Custom properties set the others.

/** Styles of the rows, in a page and in an element. */
export const ROW_STYLES = `
.direct-upload, .direct-upload-zone {
  --_accent: var(--direct-upload-accent, #2563eb); --_danger: var(--direct-upload-danger, #b3261e); --_good: var(--direct-upload-success, #18794e);
  --_line: var(--direct-upload-line, color-mix(in srgb, currentColor 18%, transparent));
  --_quiet: color-mix(in srgb, currentColor 72%, transparent);
}
.direct-upload {
  display: grid; gap: .5rem; box-sizing: border-box; inline-size: 100%; max-inline-size: 36rem; margin: .5rem 0 0; padding: 0; list-style: none; font: inherit;
}
@supports (color: light-dark(red, red)) {
  .direct-upload, .direct-upload-zone {
    --_accent: var(--direct-upload-accent, light-dark(#2563eb, #7aa7ff)); --_danger: var(--direct-upload-danger, light-dark(#b3261e, #ff9b91));
    --_good: var(--direct-upload-success, light-dark(#18794e, #63d29b));
  }
}
.direct-upload:empty { display: none; }
.direct-upload > li {
  display: flex; align-items: center; gap: .125rem; margin: 0; padding-block: .375rem; padding-inline: .5rem .25rem;
  border: 1px solid var(--_line); border-radius: var(--direct-upload-radius, .75rem); background: color-mix(in srgb, currentColor 3%, transparent);
}
.direct-upload-about { flex: 1; min-inline-size: 0; display: grid; gap: .3rem; margin-inline-end: .375rem; padding-inline-start: .5rem; line-height: 1.35; }
.direct-upload-preview {
  flex: none; display: grid; place-items: center; inline-size: 2.75rem; block-size: 2.75rem; overflow: hidden; border-radius: .5rem;
  background: color-mix(in srgb, currentColor 8%, transparent); font-size: .7rem; font-weight: 600; letter-spacing: .02em;
}
.direct-upload-preview canvas { inline-size: 100%; block-size: 100%; object-fit: cover; }
.direct-upload-name { display: block; overflow: hidden; white-space: pre; text-align: -webkit-match-parent; text-align: match-parent; font-weight: 500; }
.direct-upload-name span { display: inline-block; max-inline-size: calc(100% - 5.5em); overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }
.direct-upload-state { font-size: .85em; font-variant-numeric: tabular-nums; color: var(--_quiet); }
.direct-upload progress {
  appearance: none; inline-size: 100%; block-size: .375rem; border: 0; border-radius: 1rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 14%, transparent);
}
.direct-upload progress::-webkit-progress-bar { background: transparent; }
.direct-upload progress::-webkit-progress-value { border-radius: 1rem; background: var(--_accent); transition: inline-size .15s linear; }
.direct-upload progress::-moz-progress-bar { border-radius: 1rem; background: var(--_accent); }
.direct-upload :is([data-paused], [data-waiting]) progress { opacity: .55; }
.direct-upload button {
  display: inline-flex; align-items: center; justify-content: center; gap: .375rem; flex: none; min-inline-size: 2.75rem; min-block-size: 2.75rem;
  margin: 0; padding: 0 .5rem; border: 0; border-radius: .5rem; background: none; color: inherit; font: inherit; cursor: pointer;
}
.direct-upload [hidden] { display: none; }
.direct-upload button:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.direct-upload :is(button, summary):focus-visible { outline: 2px solid var(--_accent); outline-offset: -2px; }
.direct-upload svg { inline-size: 1.25rem; block-size: 1.25rem; fill: none; stroke: currentColor; stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.direct-upload .direct-upload-pause svg { stroke-width: 2.5; fill: currentColor; }
.direct-upload :is(.direct-upload-retry, .direct-upload-again) { font-weight: 500; color: var(--_accent); }
.direct-upload [data-state=failed] { border-color: var(--_danger); }
.direct-upload [data-state=failed] .direct-upload-state { color: var(--_danger); }
.direct-upload [data-state=failed] .direct-upload-state::before { content: "✕ " / ""; }
.direct-upload [data-state=done] .direct-upload-state { color: var(--_good); }
.direct-upload [data-state=done] .direct-upload-state::before { content: "✓ " / ""; }
.direct-upload-notice {
  margin: 0; padding: .5rem .75rem; border-inline-start: .25rem solid var(--_accent); border-radius: .25rem;
  background: color-mix(in srgb, var(--_accent) 8%, transparent); font-size: .9em; overflow-wrap: anywhere;
}
.direct-upload-visually-hidden { position: absolute; margin: 0; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 30rem) {
  .direct-upload > li { flex-wrap: wrap; }
  .direct-upload :is(.direct-upload-retry, .direct-upload-again) { order: 1; flex: 1 0 100%; }
}
@media (prefers-reduced-motion: reduce) { .direct-upload progress::-webkit-progress-value { transition: none; } }
@media (forced-colors: active) {
  .direct-upload progress { border: 1px solid CanvasText; forced-color-adjust: none; background: Canvas; }
  .direct-upload progress::-webkit-progress-value { background: Highlight; }
  .direct-upload progress::-moz-progress-bar { background: Highlight; }
}
`;

/** @type {Map<string, CSSStyleSheet>} */
const sheets = new Map();

/**
 * Add styles to a document or a shadow root. A constructed style sheet works where a policy blocks inline styles.
 * @param {DocumentOrShadowRoot} root
 * @param {string} styles
 */
export function adoptStyles(root, styles = ROW_STYLES) {
  const sheet = sheets.get(styles) ?? new CSSStyleSheet();
  if (!sheets.has(styles)) sheet.replaceSync(styles);
  sheets.set(styles, sheet);
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
}
