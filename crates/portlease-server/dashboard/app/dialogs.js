// Dialogs: something is confirmed before it is done, and the token is asked for.

import { Problem } from "./api.js";
import { set, the, write } from "./dom.js";

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} text
 * @property {string} action the word on the button
 * @property {() => Promise<unknown>} run
 * @property {{ code: string, action: string, run: () => Promise<unknown> }} [instead] what is offered when the service refuses with this code
 */

/**
 * Asks before something is done, does it, and says what is wrong when that fails. Whether it was done is answered.
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, action, run, instead }) {
  const dialog = the("confirm", HTMLDialogElement);
  const button = the("confirm-do", HTMLButtonElement);
  const problem = the("confirm-problem");
  write(the("confirm-title"), title);
  write(the("confirm-text"), text);
  write(button, action);
  problem.hidden = true;
  let isDone = false;
  let work = run;
  button.onclick = async () => {
    button.disabled = true;
    try {
      await work();
      isDone = true;
      dialog.close();
    } catch (error) {
      const { message, code } = /** @type {Problem} */ (error);
      write(problem, message);
      problem.hidden = false;
      if (instead !== undefined && code === instead.code) {
        work = instead.run;
        write(button, instead.action);
      }
    } finally {
      button.disabled = false;
    }
  };
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(isDone), { once: true }));
}

/**
 * Asks for the token until there is one.
 * @param {boolean} wasWrong
 * @returns {Promise<string>}
 */
export function askForToken(wasWrong) {
  const dialog = the("login", HTMLDialogElement);
  const input = the("login-token", HTMLInputElement);
  the("login-problem").hidden = !wasWrong;
  set(input, "aria-invalid", wasWrong ? "true" : null);
  input.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    // There is nothing to see without it.
    dialog.oncancel = (event) => event.preventDefault();
    the("login-form", HTMLFormElement).onsubmit = () => resolve(input.value.trim());
  });
}
