import type { EventView } from "../src/admin/model.ts";
import { readableFields } from "../src/admin/readable.ts";
import { make } from "./dom.ts";

/** How many are shown: memory stays what it is however long the page is open. */
const MOST = 100;

/** What has happened, the newest first. */
export class EventList {
  readonly #list: HTMLElement;

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  add({ time, level, event, fields }: EventView): void {
    const when = new Date(time);
    const clock = make("time", {
      text: when.toLocaleTimeString(undefined, { hour12: false }),
      attributes: { datetime: time, title: when.toLocaleString() },
    });
    const item = make("li", { class: `event ${level}` }, [
      clock,
      make("b", { text: event }),
      make("span", { text: readableFields(fields), attributes: { title: JSON.stringify(fields, null, 1) } }),
    ]);
    this.#list.prepend(item);
    while (this.#list.children.length > MOST) this.#list.lastElementChild?.remove();
  }
}
