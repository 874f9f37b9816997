import { describe, expect, it } from 'vitest';
import { Driver, hourMs, mebibyte, minuteMs } from '../testing/limit-cases.ts';

describe('a container that does not move', () => {
  it('has its maximum for an hour, then comes down by halves to its peak and a margin that narrows', () => {
    const driver = new Driver();
    expect(driver.run(60).reason.verdict).toBe('cold-start');
    expect(driver.limitMib).toBe(4096);
    expect(driver.step().reason.verdict).toBe('lower');
    expect(driver.limitMib).toBe(2048);
    expect(driver.step().reason.verdict).toBe('cool-down');
    driver.run(60);
    // 2 % × (1 + 4 h ÷ 1.25 h) above 1,000 MiB, when it was last lowered.
    expect(driver.limitMib).toBeGreaterThan(1075);
    expect(driver.limitMib).toBeLessThan(1085);
    driver.run(48 * 60);
    // 2 % × (1 + 4 h ÷ 50 h), and up to the dead band of 3 % more.
    expect(driver.limitMib).toBeGreaterThanOrEqual(1021);
    expect(driver.limitMib).toBeLessThan(1055);
  });

  it('is told why in words and numbers', () => {
    const { reason } = new Driver().run(61);
    expect(reason.numbers).toMatchObject({ peakBytes: 1000 * mebibyte, guardBytes: 0, observedMs: hourMs });
    expect(reason.words).toBe(
      '2GiB, lowered: uses 1000MiB, remembered peak 1000MiB of 60min seen, margin 10%',
    );
  });
});

describe('growth', () => {
  const settled = () => {
    const driver = new Driver();
    driver.run(6 * 60);
    return driver;
  };

  it('raises in the same step', () => {
    const driver = settled();
    const before = driver.limitMib;
    const decision = driver.step({ mib: 1200 });
    expect(decision).toMatchObject({ changed: true, reason: { verdict: 'raise' } });
    expect(before).toBeLessThan(1200);
    // A rise of 200 MiB can come again: 40 % of it is on top of the margin.
    expect(driver.limitMib).toBeGreaterThan(1280);
  });

  it('is remembered for hours, and given back late', () => {
    const driver = settled();
    driver.step({ mib: 1200 });
    const high = driver.limitMib;
    driver.run(5 * 60, { mib: 1000 });
    expect(driver.limitMib).toBeGreaterThan(0.97 * high);
    driver.run(2 * 60);
    expect(driver.limitMib).toBeLessThan(1050);
  });

  it('of a guaranteed container is never given back', () => {
    const driver = new Driver({ policy: 'guaranteed' });
    driver.run(6 * 60);
    driver.step({ mib: 1200 });
    driver.run(48 * 60, { mib: 300 });
    expect(driver.limitMib).toBeGreaterThanOrEqual(1224);
  });

  it('stops at the maximum, and a burstable container says what it would borrow below it', () => {
    const driver = new Driver({ policy: 'burstable' });
    driver.run(6 * 60);
    const { reason, limitBytes } = driver.step();
    expect(reason.numbers.loanBytes).toBe(4096 * mebibyte - limitBytes);
    driver.step({ mib: 4000 });
    expect(driver.limitMib).toBe(4096);
  });

  it('beyond the maximum is never answered with a cut below what is in use', () => {
    const driver = new Driver();
    driver.limitBytes = 5000 * mebibyte;
    expect(driver.run(120, { mib: 4200 }).reason.verdict).toBe('over-maximum');
    expect(driver.limitMib).toBe(5000);
  });
});

describe('an OOM kill', () => {
  const killedAt = (limitMib: number) => {
    const driver = new Driver();
    driver.run(12 * 60, { mib: 500 });
    const peakBytes = limitMib * mebibyte;
    driver.step({ mib: 0, peakBytes, limitBytes: peakBytes, oomKills: 1 });
    return driver;
  };

  it('raises at once, from what was used', () => {
    expect(killedAt(600).limitMib).toBeGreaterThanOrEqual(720);
    expect(killedAt(200).limitMib).toBeGreaterThanOrEqual(500);
  });

  it('keeps the limit out of that range for four half-lives, and then lets go', () => {
    const driver = killedAt(600);
    driver.run(31 * 60, { mib: 300 });
    expect(driver.limitMib).toBeGreaterThanOrEqual(720);
    expect(driver.step().reason.numbers.guardBytes).toBe(720 * mebibyte);
    expect(driver.step({ mib: 750 }).reason.words).toContain('below 720MiB it suffered before');
    driver.run(12 * 60, { mib: 300 });
    expect(driver.limitMib).toBeLessThan(400);
  });

  it('again does not climb on its own bump: the same use asks for the same limit', () => {
    const driver = killedAt(600);
    const once = driver.state?.scar?.guardBytes;
    for (let kill = 0; kill < 50; kill += 1) {
      driver.run(5, { mib: 300 });
      driver.step({ mib: 0, peakBytes: 600 * mebibyte, oomKills: 1 });
    }
    expect(driver.state?.scar?.guardBytes).toBe(once);
    expect(driver.state?.scar?.weight).toBeLessThanOrEqual(8);
  });

  it('counts for longer than a stall', () => {
    const driver = new Driver();
    driver.run(12 * 60, { mib: 500 });
    driver.step({ peakBytes: 600 * mebibyte, limitBytes: 600 * mebibyte, stalls: 1 });
    expect(driver.limitMib).toBeGreaterThanOrEqual(720);
    driver.run(20 * 60, { mib: 300 });
    expect(driver.limitMib).toBeLessThan(400);
  });
});

describe('who must not be trusted', () => {
  const grown = () => {
    const driver = new Driver();
    driver.run(6 * 60);
    return driver;
  };

  it('a controller that has just started changes nothing for two steps, then raises', () => {
    const driver = grown();
    const before = driver.limitBytes;
    expect(driver.step({ mib: 1500, controllerRestarted: true }).reason.verdict).toBe('controller-restarted');
    expect(driver.step()).toMatchObject({ changed: false, limitBytes: before });
    expect(driver.step()).toMatchObject({ changed: true, reason: { verdict: 'raise' } });
  });

  it('nor does one without a checkpoint', () => {
    const driver = new Driver();
    driver.limitBytes = 900 * mebibyte;
    expect(driver.step({ controllerRestarted: true })).toMatchObject({ changed: false });
    expect(driver.step()).toMatchObject({ changed: false });
    expect(driver.step()).toMatchObject({ changed: true, limitBytes: 4096 * mebibyte });
  });

  it.each([16_000, -16_000])('an observation that is %i ms old changes nothing', (lateMs) => {
    const driver = grown();
    expect(driver.step({ mib: 1500, lateMs })).toMatchObject({
      changed: false,
      reason: { verdict: 'stale' },
    });
    expect(driver.step({ mib: 1500 })).toMatchObject({ changed: true });
  });

  it.each([-hourMs, hourMs, 8 * hourMs])(
    'a clock that jumps by %i ms ages nothing and lowers nothing',
    (jumpMs) => {
      const driver = grown();
      driver.step({ mib: 1200 });
      const { limitBytes } = driver.step({ mib: 900 });
      const before = driver.state?.observedMs ?? 0;
      driver.step({ at: driver.at + jumpMs });
      expect((driver.state?.observedMs ?? 0) - before).toBeLessThanOrEqual(5 * minuteMs);
      expect(driver.limitBytes).toBe(limitBytes);
      expect(driver.run(60).limitBytes).toBe(limitBytes);
      expect(driver.state?.observedMs).toBeGreaterThanOrEqual(before + 60 * minuteMs);
    },
  );

  it('a limit that someone else sets is adopted for a quarter of an hour, unless it hurts', () => {
    const driver = grown();
    const ours = driver.limitBytes;
    driver.limitBytes = 3000 * mebibyte;
    expect(driver.run(15).changed).toBe(false);
    driver.run(60);
    expect(driver.limitBytes).toBeLessThanOrEqual(ours);
    driver.step({ mib: 950 });
    driver.limitBytes = 1000 * mebibyte;
    expect(driver.step()).toMatchObject({ changed: false, reason: { verdict: 'cool-down' } });
    expect(driver.step({ mib: 990 })).toMatchObject({ changed: true, reason: { verdict: 'raise' } });
  });

  it('a limit that the kernel rounded to pages was not set by anybody', () => {
    const driver = grown();
    driver.limitBytes -= 4095;
    driver.step();
    expect(driver.state?.foreign).toBe(false);
  });
});

describe('the contract of the runtime', () => {
  it('at-start: nothing but a start changes the limit, and a start changes all of it', () => {
    const driver = new Driver({ resize: 'at-start' });
    driver.run(6 * 60);
    expect(driver.step({ mib: 1500 }).reason.verdict).toBe('contract');
    expect(driver.limitMib).toBe(4096);
    expect(driver.step({ started: true, mib: 500 })).toMatchObject({ reason: { verdict: 'lower' } });
    expect(driver.limitMib).toBeGreaterThan(1500);
    expect(driver.limitMib).toBeLessThan(2300);
    expect(driver.step({ mib: 2500 }).reason.verdict).toBe('contract');
  });

  it('grow-only: raised at once, lowered with a start', () => {
    const driver = new Driver({ resize: 'grow-only' });
    driver.limitBytes = 1024 * mebibyte;
    expect(driver.step().limitBytes).toBe(4096 * mebibyte);
    expect(driver.run(120).reason.verdict).toBe('contract');
    expect(driver.step({ started: true }).reason.verdict).toBe('lower');
  });
});
