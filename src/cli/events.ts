import { EventReader } from "../admin/event-reader.ts";
import { eventSchema } from "../admin/model.ts";
import { ADMIN_FLAGS, type AdminFlag, clientOf, STATUSES } from "./admin/flags.ts";
import { type Command, helpText, readArguments, usage } from "./command.ts";
import { eventText } from "./event-text.ts";

/** What Weir remembers. */
const MOST_RECENT = 1000;

export const EVENTS: Command<AdminFlag | "recent" | "once"> = {
  name: "events",
  about: "Shows what happens in the running Weir: health, ejections, changes, workers that die, limits that are hit.",
  forms: [
    ["weir events", "the last 20, and then each as it happens, until Ctrl-C or the end of Weir"],
    ["weir events --once", "only what has happened"],
  ],
  positional: null,
  flags: {
    ...ADMIN_FLAGS,
    recent: { value: "N", meaning: `how many of before, at most ${MOST_RECENT} (default 20)` },
    once: { value: null, meaning: "do not wait for more" },
  },
  notes: [STATUSES],
};

/** `weir events`. @returns the exit status @throws CLI_USAGE, ADMIN_UNREACHABLE, what the API says */
export async function events(args: readonly string[]): Promise<number> {
  const given = readArguments(EVENTS, args);
  if (given.help) {
    console.log(helpText(EVENTS));
    return 0;
  }
  const { flags } = given;
  const [recent = "20"] = flags.recent;
  if (!/^\d{1,4}$/.test(recent) || Number(recent) > MOST_RECENT)
    throw usage(`--recent is a number from 0 to ${MOST_RECENT}, not "${recent}"`, "events");
  const json = flags.json.length > 0;
  const response = await clientOf(given).stream(`/v1/events?recent=${recent}&follow=${flags.once.length === 0}`, "");
  const reader = new EventReader();
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      for (const { event, data } of reader.push(decoder.decode(chunk, { stream: true }))) {
        if (event !== "event") continue;
        console.log(json ? data : eventText(eventSchema.parse(JSON.parse(data)), new Date()));
      }
    }
  } catch {
    // Weir has ended, and its streams with it.
  }
  return 0;
}
