import type { Head } from "../http/head.ts";

/** The host of a request as routes know it: lower-case, without port, without a final dot. Makes a string. */
export function hostOf(request: Head): string {
  const authority = request.text(request.authorityStart, request.authorityEnd).toLowerCase();
  const port = authority.lastIndexOf(":");
  const host = port > authority.lastIndexOf("]") ? authority.slice(0, port) : authority;
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

/**
 * The path of a request as routes know it: without query, with letters, digits and `-._~` decoded and dot segments
 * resolved (RFC 3986 §6.2.2), as the backend will read it: `/public/%2e%2e/admin` is a request for `/admin`.
 * The request itself is forwarded as it came. Makes a string.
 */
export function pathOf(request: Head): string {
  const target = request.text(request.targetStart, request.targetEnd);
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  // An absolute target without a path, and what it is forwarded as (RFC 9112 §3.2.4).
  if (path === "") return target === "" && request.method === "OPTIONS" ? "*" : "/";
  return normalPath(path);
}

/** A path as routes compare it. */
export function normalPath(path: string): string {
  return path.includes("%") || path.includes("/.") ? normalize(path) : path;
}

function normalize(path: string): string {
  const decoded = path.replace(/%[0-9a-f]{2}/gi, (escape) => {
    const char = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(char) ? char : escape.toUpperCase();
  });
  const segments: string[] = [];
  const parts = decoded.split("/").slice(1);
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (part === "..") segments.pop();
    else if (part !== ".") segments.push(part);
    if (last && (part === ".." || part === ".")) segments.push("");
  }
  return `/${segments.join("/")}`;
}
