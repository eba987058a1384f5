/**
 * Once per frame of the screen.
 */

/** A hidden tab draws no frames; its texts still change, this often, in ms. */
const HIDDEN_DELAY_MS = 200;

/**
 * Calls back once per frame, however often it is asked to between two.
 *
 * @returns  Asks for it.
 */
export function oncePerFrame(callback: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    nextFrame(() => {
      isScheduled = false;
      callback();
    });
  };
}

/** Calls back before the next frame is drawn, or soon where none are. */
function nextFrame(callback: () => void): void {
  if (typeof requestAnimationFrame !== 'function' || document.visibilityState === 'hidden') {
    setTimeout(callback, HIDDEN_DELAY_MS);
    return;
  }
  // Whichever comes first: a tab can be hidden between the request and the frame.
  let isDone = false;
  const once = () => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    callback();
  };
  const timer = setTimeout(once, HIDDEN_DELAY_MS);
  requestAnimationFrame(once);
}
