/** Styles of the list of unfinished uploads. */
export const UNFINISHED_STYLES = `
.direct-upload-unfinished > li { border-style: dashed; }
`;
