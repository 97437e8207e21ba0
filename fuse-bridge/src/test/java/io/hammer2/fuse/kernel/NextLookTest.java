package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class NextLookTest {
    private final NextLook next = new NextLook();

    /** Answers so many requests that were found after a sleep, and looks when that is due. @return how often that was right after one */
    private int looksAfter(int requests, boolean isThereOne) {
        int looks = 0;
        for (int i = 0; i < requests; i++) {
            next.answered();
            if (next.isDue()) {
                looks++;
                next.looked(isThereOne);
            } else {
                assertTrue(next.isDue(), "after a sleep it looks");
                next.looked(true);
            }
        }
        return looks;
    }

    @Test
    void one_client_costs_a_look_in_vain_now_and_then() {
        assertEquals(1, looksAfter(1, false));
        assertEquals(10, looksAfter(10 * NextLook.REQUESTS_PER_TRY, false));
    }

    @Test
    void of_many_clients_each_request_is_followed_by_a_look() {
        assertEquals(100, looksAfter(100, true));
    }

    @Test
    void when_others_come_it_is_noticed_within_some_requests() {
        looksAfter(100, false);
        int looks = looksAfter(NextLook.REQUESTS_PER_TRY + 10, true);
        assertTrue(looks >= 10, looks + " looks");
    }

    @Test
    void what_is_found_after_a_sleep_says_nothing_of_crowds() {
        looksAfter(1, false);
        assertTrue(next.isDue());
        next.looked(true);
        next.answered();
        assertFalse(next.isDue());
    }
}
