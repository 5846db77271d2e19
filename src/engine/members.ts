/** Something that is in a set at a place of its own. */
export interface Member {
  /** Where it is in its set; -1 while it is in none. For the set alone. */
  place: number;
}

/** A set of objects that know their place in it: adding and removing are a few stores, and nothing is allocated for it. */
export class Members<T extends Member> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(member: T): void {
    member.place = this.#all.length;
    this.#all.push(member);
  }

  /** Does nothing for one that is not there. */
  delete(member: T): void {
    const { place } = member;
    if (place === -1) return;
    member.place = -1;
    // The last one takes its place.
    const last = this.#all.pop()!;
    if (last === member) return;
    this.#all[place] = last;
    last.place = place;
  }

  /** All that are there now; what becomes of them meanwhile makes no difference. */
  list(): readonly T[] {
    return [...this.#all];
  }
}
