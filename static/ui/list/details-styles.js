/** Styles of a failure's technical details. */
export const DETAILS_STYLES = `
.direct-upload-details { font-size: .8em; color: var(--_quiet); }
.direct-upload-details summary { inline-size: max-content; min-inline-size: 2.75rem; margin-block: -.5rem -.375rem; padding-block: .9rem; cursor: pointer; }
.direct-upload-details p { margin: 0 0 .375rem; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
`;
