// The ways to upload many files that are compared. Run by many.py.
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";

import { uploadAll } from "/_upload/static/direct-upload.js";

/** What browsers send at once to one host over HTTP/1.1. */
const AT_ONCE = 6;

const post = async (url, body) => {
  const isForm = body instanceof FormData;
  const headers = isForm ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: isForm ? body : JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.json();
};

const sixAtOnce = (files, send) => {
  const waiting = files.values();
  const worker = async () => { for (const file of waiting) await send(file); };
  return Promise.all(Array.from({ length: AT_ONCE }, worker));
};

const ways = {
  uploadAll: (files) => uploadAll(files),

  /** What articles describe: a temp URL from the application, a PUT, and a record. Nothing is verified. */
  "how-to": (files) => sixAtOnce(files, async (file) => {
    const { url, name } = await post("/sign", { filename: file.name });
    const answer = await fetch(url, { method: "PUT", body: file });
    if (!answer.ok) throw new Error(`Swift answered ${answer.status}`);
    await post("/record", { name });
  }),

  through: (files) => sixAtOnce(files, (file) => {
    const form = new FormData();
    form.append("file", file);
    return post("/through", form);
  }),

  "@uppy/aws-s3": async (files) => {
    const uppy = new Uppy();
    uppy.use(AwsS3, { companionEndpoint: "/_upload", shouldUseMultipart: true });
    for (const [index, data] of files.entries()) uppy.addFile({ name: `${index}.bin`, data });
    const { failed } = await uppy.upload();
    if (failed.length) throw failed[0].error;
  },
};

const measure = (begin, done) => done.then(
  () => { window.outcome = (performance.now() - begin) / 1000; },
  (failure) => { window.outcome = String(failure.stack ?? failure); },
);

/** Seconds from the moment when the files are chosen, as soon as they are known, or what went wrong. */
document.querySelector("#files").addEventListener("change", ({ target }) => {
  measure(performance.now(), ways[window.way]([...target.files]));
});

/** The input with data-direct-upload, in its form. */
const input = document.querySelector("#input");
input?.addEventListener("change", () => {
  const begin = performance.now();
  const failed = new Promise((_, reject) => {
    input.addEventListener("direct-upload:error", ({ detail }) => reject(detail.error));
  });
  const ended = new Promise((resolve) => {
    input.form.addEventListener("direct-uploads:end", resolve, { once: true });
  });
  measure(begin, Promise.race([ended, failed]));
});

window.isReady = true;
