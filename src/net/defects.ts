let tell: (error: unknown) => void = (error) => {
  throw error;
};

/** Says who is told of a defect of Weir that ended one connection; without anyone it is thrown on. */
export function reportDefectsTo(report: (error: unknown) => void): void {
  tell = report;
}

/** Tells of what a callback threw, so that it ends one connection and not the worker. */
export function tellDefect(error: unknown): void {
  tell(error);
}
