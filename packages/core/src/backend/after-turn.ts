const host = globalThis as { setImmediate?(callback: () => void): unknown };

/** Runs the callback once the event loop has turned. */
export function afterTurn(callback: () => void): void {
  if (host.setImmediate) {
    host.setImmediate(callback);
    return;
  }
  // browsers delay nested timers by 4 ms, messages not
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(undefined);
}
