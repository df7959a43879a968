import { render } from "preact";
import { App } from "./app";
import { lang } from "./words";

document.documentElement.lang = lang();
const root = document.getElementById("app");
if (root) render(<App />, root);
