// Restrained on purpose: colours come from the page, and two custom properties change what does not.
const STYLE = `
.direct-upload { display: grid; gap: .5rem; max-inline-size: 34rem; margin: .5rem 0 0; padding: 0; list-style: none; font: inherit; }
.direct-upload:empty { display: none; }
.direct-upload > li {
  display: grid; grid-template-columns: minmax(0, 1fr) auto auto; align-items: center; gap: .25rem;
  margin: 0; padding-block: .375rem; padding-inline: .875rem .25rem;
  border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: .625rem;
  background: color-mix(in srgb, currentColor 3%, transparent);
}
.direct-upload-about { display: grid; gap: .3rem; line-height: 1.3; }
.direct-upload-about bdi { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; font-weight: 500; }
.direct-upload-state { font-size: .85em; font-variant-numeric: tabular-nums; color: color-mix(in srgb, currentColor 72%, transparent); }
.direct-upload progress {
  appearance: none; inline-size: 100%; block-size: .375rem; border: 0; border-radius: 1rem; overflow: hidden;
  background: color-mix(in srgb, currentColor 14%, transparent);
}
.direct-upload progress::-webkit-progress-bar { background: transparent; }
.direct-upload progress::-webkit-progress-value { border-radius: 1rem; background: var(--direct-upload-accent, #2f6fed); transition: inline-size .15s linear; }
.direct-upload progress::-moz-progress-bar { border-radius: 1rem; background: var(--direct-upload-accent, #2f6fed); }
.direct-upload button {
  min-inline-size: 2.75rem; min-block-size: 2.75rem; padding: 0 .75rem; border: 0; border-radius: .5rem;
  background: none; color: inherit; font: inherit; cursor: pointer;
}
.direct-upload button:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.direct-upload button:focus-visible { outline: 2px solid var(--direct-upload-accent, #2f6fed); outline-offset: -2px; }
.direct-upload-retry { font-weight: 500; text-decoration: underline; text-underline-offset: .2em; }
.direct-upload [data-state=failed] { border-color: var(--direct-upload-danger, #c62f2f); }
.direct-upload [data-state=failed] .direct-upload-state { color: color-mix(in srgb, var(--direct-upload-danger, #c62f2f) 75%, currentColor); }
.direct-upload-news { margin: .375rem 0 0; font-size: .85em; }
.direct-upload-heard { position: absolute; margin: 0; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (prefers-reduced-motion: reduce) { .direct-upload progress::-webkit-progress-value { transition: none; } }
`;

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** A sheet made by script is allowed where a policy forbids inline styles. */
export function wear() {
  if (sheet) return;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets.push(sheet);
}
