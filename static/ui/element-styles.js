/** Styles of the element. Its rows use the ones of row-styles.js. */
export const ELEMENT_STYLES = `
:host { display: block; max-inline-size: 36rem; }
:host([hidden]) { display: none; }
:host > * { max-inline-size: none; }
.direct-upload-zone {
  display: flex; flex-direction: column; align-items: center; justify-content: center; gap: .5rem; box-sizing: border-box; inline-size: 100%;
  min-block-size: 9rem; margin: 0; padding: 1.25rem 1rem; border: 2px dashed color-mix(in srgb, currentColor 38%, transparent);
  border-radius: var(--direct-upload-radius, .75rem); background: var(--direct-upload-background, color-mix(in srgb, currentColor 3%, transparent));
  color: inherit; font: inherit; text-align: center; cursor: pointer; transition: border-color .15s, background-color .15s, min-block-size .2s;
}
.direct-upload-zone svg {
  flex: none; inline-size: 2rem; block-size: 2rem; fill: none; stroke: var(--_accent); stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round;
}
.direct-upload-prompt { display: grid; gap: .125rem; font-weight: 500; }
.direct-upload-hint { font-size: .85em; font-weight: 400; color: var(--_quiet); }
.direct-upload-hint:empty { display: none; }
.direct-upload-zone:hover { border-color: var(--_accent); }
.direct-upload-zone:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.direct-upload-zone[data-dragging] { border-style: solid; border-color: var(--_accent); background: color-mix(in srgb, var(--_accent) 12%, transparent); }
.direct-upload-zone[data-dragging] * { pointer-events: none; }
.direct-upload-zone:disabled { opacity: .55; cursor: not-allowed; border-color: color-mix(in srgb, currentColor 25%, transparent); }
.direct-upload-zone[data-compact] { flex-direction: row; min-block-size: 3.75rem; padding-block: .5rem; text-align: start; }
.direct-upload-zone[data-compact] svg { inline-size: 1.5rem; block-size: 1.5rem; }
.direct-upload > li { animation: direct-upload-in .18s ease-out; }
@keyframes direct-upload-in { from { opacity: 0; transform: translateY(-.25rem); } }
.direct-upload { container-type: inline-size; }
@container (max-width: 26rem) {
  .direct-upload > li { flex-wrap: wrap; }
  .direct-upload :is(.direct-upload-retry, .direct-upload-again) { order: 1; flex: 1 0 100%; }
}
@media (prefers-reduced-motion: reduce) {
  .direct-upload-zone { transition: none; }
  .direct-upload > li { animation: none; }
}
@media (forced-colors: active) {
  .direct-upload-zone svg { stroke: ButtonText; }
  .direct-upload-zone[data-dragging] { border-color: Highlight; }
}
`;
