package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StandbyTest {
    private final Standby standby = new Standby(false);

    /** As many wake-ups as are judged, and so many requests for each. */
    private static void wake(Standby standby, int taken) {
        for (int i = 0; i < Standby.WAKES_JUDGED; i++) {
            standby.woken();
            for (int j = 0; j < taken; j++) {
                standby.took();
            }
        }
    }

    @Test
    void a_cpu_listens_until_it_was_woken_for_little_again_and_again() {
        for (int i = 1; i < Standby.WAKES_JUDGED; i++) {
            standby.woken();
            assertEquals(0, standby.pauseNanos(i));
        }
        standby.woken();
        assertEquals(Standby.PAUSE_NANOS_MIN, standby.pauseNanos(100));
    }

    @Test
    void a_pause_ends_by_itself_whatever_else_wakes_the_cpu_meanwhile() {
        wake(standby, 1);
        assertEquals(Standby.PAUSE_NANOS_MIN, standby.pauseNanos(0));
        standby.took(); // awake for something else, it took a request, too
        assertEquals(1, standby.pauseNanos(Standby.PAUSE_NANOS_MIN - 1));
        assertEquals(0, standby.pauseNanos(Standby.PAUSE_NANOS_MIN));
    }

    @Test
    void pauses_grow_to_a_bound_and_are_short_again_once_it_was_worth_it() {
        long now = 0;
        long longest = 0;
        for (int i = 0; i < 10; i++) {
            wake(standby, 0);
            longest = standby.pauseNanos(now);
            now += longest;
            assertEquals(0, standby.pauseNanos(now));
        }
        assertEquals(Standby.PAUSE_NANOS_MAX, longest);
        wake(standby, Standby.WORTH);
        assertEquals(0, standby.pauseNanos(now));
        wake(standby, 0);
        assertEquals(Standby.PAUSE_NANOS_MIN, standby.pauseNanos(now));
    }

    @Test
    void who_is_to_listen_always_does() {
        Standby always = new Standby(true);
        wake(always, 0);
        assertEquals(0, always.pauseNanos(0));
    }

    @Test
    void a_clock_that_passes_its_end_is_no_end_of_time() {
        wake(standby, 0);
        long now = Long.MAX_VALUE - 1;
        assertTrue(standby.pauseNanos(now) > 0);
        assertEquals(0, standby.pauseNanos(now + Standby.PAUSE_NANOS_MIN));
    }
}
