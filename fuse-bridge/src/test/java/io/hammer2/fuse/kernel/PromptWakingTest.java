package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.hammer2.lwkt.Clock;
import org.junit.jupiter.api.Test;

class PromptWakingTest {
    private static final long QUICK = PromptWaking.QUICK_NANOS / PromptWaking.REQUESTS_JUDGED;

    private final Recorded request = new Recorded();
    private long now = Long.MAX_VALUE - PromptWaking.HOLD_NANOS; // its end is passed during each test
    private final PromptWaking waking = new PromptWaking(
            new Clock() {
                @Override
                public long nanoTime() {
                    return now;
                }

                @Override
                public long currentTimeMicros() {
                    return 0;
                }
            },
            request);

    private static final class Recorded implements PromptWaking.Request {
        private final StringBuilder asked = new StringBuilder();

        @Override
        public void hold() {
            asked.append("hold ");
        }

        @Override
        public void release() {
            asked.append("release ");
        }

        @Override
        public void close() {
            asked.append("close ");
        }
    }

    private void requests(int count, long nanosEach) {
        for (int i = 0; i < count; i++) {
            now += nanosEach;
            waking.took();
        }
    }

    private String asked() {
        return request.asked.toString();
    }

    @Test
    void quick_requests_hold_once_and_quiet_releases() {
        requests(PromptWaking.REQUESTS_JUDGED - 1, QUICK);
        assertEquals("", asked());
        requests(1, QUICK);
        assertEquals("hold ", asked());
        requests(10 * PromptWaking.REQUESTS_JUDGED, QUICK);
        assertEquals("hold ", asked());
        assertEquals(PromptWaking.HOLD_NANOS, waking.untilReleaseNanos(now));
        assertEquals(1, waking.untilReleaseNanos(now + PromptWaking.HOLD_NANOS - 1));
        assertEquals("hold ", asked());
        assertEquals(Long.MAX_VALUE, waking.untilReleaseNanos(now + PromptWaking.HOLD_NANOS));
        assertEquals("hold release ", asked());
        now += 2 * PromptWaking.HOLD_NANOS;
        requests(2 * PromptWaking.REQUESTS_JUDGED, QUICK); // the first of them came after the quiet
        assertEquals("hold release hold ", asked());
    }

    @Test
    void requests_now_and_then_hold_nothing() {
        requests(100 * PromptWaking.REQUESTS_JUDGED, QUICK + 1);
        assertEquals("", asked());
        assertEquals(Long.MAX_VALUE, waking.untilReleaseNanos(now));
    }

    @Test
    void a_cpu_that_does_not_get_to_sleep_releases_too() {
        requests(PromptWaking.REQUESTS_JUDGED, QUICK);
        requests(PromptWaking.REQUESTS_JUDGED, PromptWaking.HOLD_NANOS);
        assertEquals("hold release ", asked());
    }

    @Test
    void after_the_end_nothing_is_asked_for() {
        requests(PromptWaking.REQUESTS_JUDGED, QUICK);
        waking.close();
        assertEquals(Long.MAX_VALUE, waking.untilReleaseNanos(now + PromptWaking.HOLD_NANOS));
        assertEquals("hold close ", asked());
    }
}
