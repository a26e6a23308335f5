// The types of `<direct-upload>` in JSX of React: `import type {} from "direct-upload-middleware/react"`.

import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { DirectUploadAttributes, DirectUploadElement, DirectUploadEventMap } from "./direct-upload.d.ts";

/** React's properties for the events: `<direct-upload {...{ "ondirect-upload:end": listener }} />`. */
type Listeners = { [Name in keyof DirectUploadEventMap as `on${Name}`]?: (event: DirectUploadEventMap[Name]) => void };

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "direct-upload": DetailedHTMLProps<HTMLAttributes<DirectUploadElement>, DirectUploadElement> &
        DirectUploadAttributes &
        Listeners;
    }
  }
}
