// What a React application does with the npm package.
import type { DirectUploadEventMap } from "direct-upload-middleware";
import type {} from "direct-upload-middleware/react";

const listeners = {
  "ondirect-upload:end": ({ detail }: DirectUploadEventMap["direct-upload:end"]) => console.log(detail.receipt),
};

export function Papers() {
  return (
    <direct-upload id="papers" name="papers" multiple required max-size="20 MB" {...listeners} ref={(it) => void it?.checkValidity()}>
      <input type="file" name="papers" />
    </direct-upload>
  );
}

export function Wrong() {
  // @ts-expect-error names are strings
  return <direct-upload name={1} />;
}
