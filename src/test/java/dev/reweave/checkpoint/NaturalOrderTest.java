package dev.reweave.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NaturalOrderTest {
  @Test
  void numbersCountAsNumbers() {
    List<String> ordered =
        List.of(
            "7",
            "12",
            "epoch-2-step-10",
            "epoch-2-step-010",
            "epoch-10-step-1",
            "global_step",
            "global_step9",
            "global_step10",
            "global_step10_universal",
            "global_step99999999999999999999",
            "global_step100000000000000000000",
            "my-tag 2");
    List<String> sorted = new ArrayList<>(ordered);
    // The order of names that are the same number is that of their characters.
    Collections.swap(sorted, 2, 3);
    List<String> expected = List.copyOf(sorted);
    Collections.shuffle(sorted, new Random(1));

    sorted.sort(new NaturalOrder());

    assertEquals(expected, sorted);
  }
}
