/** Styles of what a field has in addition when it has many files. */
export const MANY_STYLES = `
.direct-upload-summary { display: flex; flex-wrap: wrap; align-items: center; gap: 0 .125rem; }
.direct-upload-summary .direct-upload-about { flex-basis: 14rem; padding: .375rem 0; }
.direct-upload-summary[hidden] { display: none; }
.direct-upload-whole { font-weight: 500; font-variant-numeric: tabular-nums; }
.direct-upload-whole span { display: inline-block; white-space: pre-wrap; }
.direct-upload-buttons { display: flex; flex-wrap: wrap; margin-inline-start: -.5rem; }
.direct-upload-summary button { color: var(--_accent); font-weight: 500; }
.direct-upload-many { display: block; max-block-size: 23.5rem; overflow-y: auto; overscroll-behavior: contain; }
.direct-upload-many > li + li { margin-block-start: .5rem; }
.direct-upload-many > li { animation: none; }
.direct-upload-many > li:empty { block-size: 3rem; }
.direct-upload[data-complete] .direct-upload-whole { color: var(--_good); }
.direct-upload[data-complete] .direct-upload-whole::before { content: "✓ " / ""; }
`;
