import { libc } from "./libc.ts";

/** Where the system's users and groups are looked up by name; `null` for one that it does not have. */
export interface Accounts {
  /** A user's id and that of its own group. */
  user(name: string): { readonly uid: number; readonly gid: number } | null;
  group(name: string): number | null;
}

/** As the C library finds them: files, directory services, whatever this system asks. Without FFI nobody is found. */
export const systemAccounts: Accounts = {
  user: (name) => libc()?.user(name) ?? null,
  group: (name) => libc()?.group(name) ?? null,
};
