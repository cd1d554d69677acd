import { afterTurn } from './after-turn.js';

/** The share of the event loop that a backend takes before it lets others run. */
export interface TimeSlice {
  /** Whether the backend has computed for longer than the slice since the event loop last turned. */
  expired(): boolean;
  /** Lets the event loop turn. */
  turn(): Promise<void>;
}

/** A slice for one backend. */
export function timeSlice(milliseconds: number): TimeSlice {
  let start: number | undefined;
  return {
    expired() {
      const now = performance.now();
      if (start === undefined) {
        start = now;
        afterTurn(() => {
          start = undefined;
        });
      }
      return now - start > milliseconds;
    },
    turn: () =>
      new Promise<void>((resolve) =>
        afterTurn(() => {
          start = undefined;
          resolve();
        }),
      ),
  };
}
