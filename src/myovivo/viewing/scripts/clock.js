/** The one clock of all sequences: which frame is shown, and how fast time goes. */

const MEASURED_MS = 1000;

export const SPEEDS = [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128];

export class Clock {
  /**
   * @param {number} count frames
   * @param {number} frameRate of those that are shown, Hz
   * @param {number} start time of the first, s
   * @param {(frame: number) => void} show called for each frame that is to be drawn
   * @param {() => void} told called when it starts or stops
   */
  constructor(count, frameRate, start, show, told) {
    this.count = count;
    this.frameRate = frameRate;
    this.start = start;
    this.show = show;
    this.told = told;
    this.frame = 0;
    this.speed = 1 / 16;
    this.playing = false;
    this.loops = true;
    this.drawn = 0;
    this.runs = 0;
    this.exact = 0;
    /** @type {number[]} */
    this.stamps = [];
  }

  /** Seconds of the frame that is shown. */
  get time() {
    return this.start + this.frame / this.frameRate;
  }

  /** Frames that were drawn in the last second. */
  get drawnRate() {
    const [first, last] = [this.stamps[0], this.stamps[this.stamps.length - 1]];
    return last > first ? (1000 * (this.stamps.length - 1)) / (last - first) : 0;
  }

  /** @param {number} frame */
  seek(frame) {
    this.exact = Math.min(Math.max(Math.round(frame), 0), this.count - 1);
    this.frame = this.exact;
    this.show(this.frame);
  }

  /** @param {number} frames */
  step(frames) {
    this.pause();
    this.seek(this.frame + frames);
  }

  /** @param {number} seconds */
  seekTime(seconds) {
    this.seek((seconds - this.start) * this.frameRate);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing || this.count < 2) return;
    this.playing = true;
    this.exact = this.frame >= this.count - 1 ? 0 : this.frame;
    this.stamps = [];
    this.runs += 1;
    const run = this.runs;
    let before = performance.now();
    const tick = (/** @type {number} */ now) => {
      if (!this.playing || run !== this.runs) return; // a run that was stopped does not come back with the next
      this.advance(Math.max(now - before, 0), now);
      before = now;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    this.told();
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.told();
  }

  /**
   * @param {number} passed ms
   * @param {number} now ms
   */
  advance(passed, now) {
    this.exact += (passed / 1000) * this.frameRate * this.speed;
    if (this.exact >= this.count) {
      if (!this.loops) {
        this.seek(this.count - 1);
        this.pause();
        return;
      }
      this.exact %= this.count;
    }
    const frame = Math.floor(this.exact);
    if (frame === this.frame) return;
    this.frame = frame;
    this.show(frame);
    this.drawn += 1;
    this.stamps.push(now);
    while (this.stamps[0] < now - MEASURED_MS) this.stamps.shift();
  }
}
