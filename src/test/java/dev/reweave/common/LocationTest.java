package dev.reweave.common;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocationTest {
  @ParameterizedTest
  @CsvSource({
    "s3a://bucket/run/step, s3a://bucket/run, step, s3a://bucket/run/other",
    "s3a://bucket/run, s3a://bucket/, run, s3a://bucket/other",
    "file:/data, file:/, data, file:/other",
    "file:/data/run, file:/data, run, file:/data/other",
    "hdfs://h:8020/a b/c, hdfs://h:8020/a b, c, hdfs://h:8020/a b/other",
  })
  void knowsWhatIsAroundIt(String uri, String parent, String name, String other) {
    Location place = new Location(uri);
    assertEquals(new Location(parent), place.parent());
    assertEquals(name, place.name());
    assertEquals(new Location(other), place.sibling("other"));
    assertEquals(place, place.parent().child(name));
    assertEquals(name, place.parent().pathTo(place));
  }

  @ParameterizedTest
  @CsvSource({"s3a://bucket", "s3a://bucket/", "file:/"})
  void nothingIsAboveAStore(String root) {
    assertEquals(new Location(root), new Location(root).parent());
  }

  @Test
  void holdsItselfAndWhatIsBelow() {
    Location run = new Location("s3a://bucket/run");
    assertTrue(run.holds(run));
    assertTrue(run.holds(run.child("a/b")));
    assertFalse(run.holds(new Location("s3a://bucket/run-2")));
    assertFalse(run.holds(run.parent()));
    assertTrue(new Location("s3a://bucket/").holds(run));
    assertEquals("a/b", run.pathTo(run.child("a/b")));
    assertThrows(
        IllegalArgumentException.class, () -> run.pathTo(new Location("s3a://bucket/run-2")));
  }
}
