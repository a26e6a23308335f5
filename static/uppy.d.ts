// Types of the plugin for Uppy: `uppy.use(DirectUpload, { form: "#application" })`.

import type { UploadResult, UppyPlugin, UppyPluginOptions } from "./types.d.ts";

export type { UppyPluginOptions } from "./types.d.ts";

/** The `response.body` of an uploaded file: `new Uppy<Meta, DirectUploadBody>()`. */
export type DirectUploadBody = UploadResult & Record<string, unknown>;

/** An uploader for Uppy 6. */
export class DirectUpload implements UppyPlugin {
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
