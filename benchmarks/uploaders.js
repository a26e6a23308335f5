// The engines that are compared: each sends all files and is done when storage has them. Run by uploaders.py.
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import { Upload } from "tus-js-client";

import "/_upload/static/engine/upload-all.js"; // as a page with a file input does before anybody chooses one
import { uploadAll } from "/_upload/static/direct-upload.js";

/** @typedef {{ sink: string, segment: number, parallel: number }} Setting */

const engines = {
  /** Hashes every segment; the others hash nothing. */
  ours: (files, { parallel }) => uploadAll(files, { concurrency: parallel }),

  "tus-js-client": (files, { sink, parallel }) => {
    const parallelUploads = files.length === 1 ? parallel : 1;
    const one = (file) => new Promise((onSuccess, onError) => {
      const settings = { endpoint: `${sink}/tus`, parallelUploads, storeFingerprintForResuming: false };
      new Upload(file, { ...settings, onSuccess, onError }).start();
    });
    return Promise.all(files.map(one));
  },

  /** Sends the segments of one file one after the other, as it does since version 6. */
  "@uppy/aws-s3": async (files, { sink, segment, parallel }) => {
    const uppy = new Uppy();
    const signRequest = ({ key, uploadId, partNumber }) => {
      const query = uploadId ? `uploadId=${uploadId}&partNumber=${partNumber ?? ""}` : "uploads";
      return { url: `${sink}/s3/${encodeURIComponent(key)}?${query}` };
    };
    uppy.use(AwsS3, { shouldUseMultipart: true, getChunkSize: () => segment, limit: parallel, signRequest });
    for (const [index, data] of files.entries()) uppy.addFile({ name: `${index}.bin`, data });
    const { failed } = await uppy.upload();
    if (failed.length) throw failed[0].error;
  },
};

/** Seconds that an engine takes, as soon as they are known, or what went wrong. */
window.race = (name, setting) => {
  window.outcome = undefined;
  const files = [...document.querySelector("#file").files];
  const begin = performance.now();
  engines[name](files, setting).then(
    () => { window.outcome = (performance.now() - begin) / 1000; },
    (failure) => { window.outcome = String(failure.stack ?? failure); },
  );
};
