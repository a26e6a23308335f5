// A React application, which esbuild bundles.
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { upload } from "direct-upload-middleware";

/** A form that React submits: `onSubmit` is called when the uploads are complete. */
function Form() {
  const [count, setCount] = useState(0);
  const [names, setNames] = useState([]);
  const [key, setKey] = useState(0);
  const send = async (event) => {
    event.preventDefault();
    await fetch("/save", { method: "POST", body: new FormData(event.currentTarget, event.nativeEvent.submitter) });
    setKey(key + 1);
  };
  const listeners = { "ondirect-upload:end": ({ detail }) => setNames((before) => [...before, detail.file.name]) };
  return (
    <form key={key} onSubmit={send} onChange={() => setCount(count + 1)}>
      {location.hash === "#input" ? (
        <input type="file" name="f" data-direct-upload="" aria-label="F" className={`render-${count}`} />
      ) : (
        <direct-upload name="f" aria-label="F" class={`render-${count}`} {...listeners} />
      )}
      <button type="button" id="render" onClick={() => setCount(count + 1)}>Render</button>
      <button name="go" value="yes">Send</button>
      <output id="names">{names.join()}</output>
      <output id="count">{count}</output>
      <output id="key">{key}</output>
    </form>
  );
}

/** An input whose file the application uploads itself, and sends its receipt. */
function Own() {
  const [state, setState] = useState("");
  const choose = async ({ target }) => {
    const { receipt } = await upload(target.files[0], { onprogress: ({ loaded, total }) => setState(`${loaded}/${total}`) });
    await fetch("/save", { method: "POST", body: new URLSearchParams({ f: receipt }) });
    setState("sent");
  };
  return <p><input type="file" aria-label="F" onChange={choose} /><output>{state}</output></p>;
}

createRoot(document.querySelector("#root")).render(
  <StrictMode>{location.hash === "#own" ? <Own /> : <Form />}</StrictMode>,
);
