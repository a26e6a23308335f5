/**
 * Tell web developers that this copy of the script leaves the page to the other one, unless each field names its mount.
 * @param {URL} mount
 * @param {string} other the mount of the copy that enhances the page
 */
export function standBack(mount, other) {
  const fields = [...document.querySelectorAll("direct-upload, input[type=file][data-direct-upload]")];
  if (mount.href !== other && fields.every((field) => field.hasAttribute("data-direct-upload-mount"))) return;
  console.error(
    `direct-upload: the script is in this page twice. The copy of ${other} handles the upload fields, the one of ${mount} ` +
    `does not. Load one copy only. For a field of ${mount}, set data-direct-upload-mount="${mount.pathname}".`,
  );
}
