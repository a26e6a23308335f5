// Types of the plugin for Uppy: `uppy.use(DirectUpload, { form: "#application" })`.

import type { UploadOptions, UploadResult } from "./direct-upload.d.ts";

/** Options of the Uppy plugin. */
export interface UppyPluginOptions extends Pick<UploadOptions, "mount" | "place" | "retries" | "stall"> {
  id?: string;
  /** The most files that are begun and not finished; by default all. The browser's connections limit what is sent at once. */
  limit?: number;
  /** A form, or its selector, that gets a hidden input with the receipt of each uploaded file. */
  form?: string | HTMLFormElement;
  /** The name of these inputs. */
  name?: string;
}

/** The `response.body` of an uploaded file: `new Uppy<Meta, DirectUploadBody>()`. */
export type DirectUploadBody = UploadResult & Record<string, unknown>;

/** An uploader for Uppy 6. */
export class DirectUpload {
  constructor(uppy: any, opts?: UppyPluginOptions);
  id: string;
  type: string;
  uppy: any;
  opts: UppyPluginOptions;
  install(): void;
  uninstall(): void;
  update(): void;
  setOptions(opts: UppyPluginOptions): void;

  // Only for the type of `uppy.use()`: members of Uppy's BasePlugin that Uppy does not use on an uploader.
  VERSION: any;
  defaultLocale: any;
  i18n: any;
  i18nArray: any;
  i18nInit: any;
  getPluginState: any;
  setPluginState: any;
  addTarget: any;
  afterUpdate: any;
}
