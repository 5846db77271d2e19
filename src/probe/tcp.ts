import { Probe } from "./probe.ts";

/** Connects, and closes: a backend that accepts is up. Nothing is sent or read. */
export class TcpProbe extends Probe {
  protected override connected(): void {
    this.pass(null);
  }

  override received(): void {}
  override drained(): void {}
  override ended(): void {}
  protected override lost(): void {}
}
