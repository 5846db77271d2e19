import { useToken } from "./api.ts";
import { byId } from "./dom.ts";

/** Asks for the API's token, once however often it is called meanwhile. @param given called when there is one to try */
export function askToken(given: () => void): void {
  const dialog = byId("token", HTMLDialogElement);
  if (dialog.open) return;
  const input = byId("token-value", HTMLInputElement);
  input.value = "";
  dialog.addEventListener(
    "close",
    () => {
      if (input.value !== "") useToken(input.value);
      input.value = "";
      given();
    },
    { once: true },
  );
  dialog.showModal();
}
