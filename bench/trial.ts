/** Something that is measured on its own. */
export interface Trial {
  readonly name: string;
  readonly title: string;
  /** @param folder for its files @returns its table, for the terminal */
  run(folder: string): Promise<string>;
}
