/** Styles of rows that can be moved. */
export const REORDER_STYLES = `
.direct-upload-movable li:not(:only-child) .direct-upload-preview { cursor: grab; touch-action: none; }
.direct-upload [data-moving] { border-color: var(--_accent); }
`;
