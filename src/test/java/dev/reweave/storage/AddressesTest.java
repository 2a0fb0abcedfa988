package dev.reweave.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.Location;
import dev.reweave.common.ReweaveException;
import java.util.List;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Addresses that no store can have. */
class AddressesTest {
  private static final List<Consumer<Address>> USES =
      List.of(
          a -> a.stores().file(a.place()),
          a -> a.stores().isFolder(a.place()),
          a -> a.stores().isOnThisMachine(a.place()),
          a -> a.stores().list(a.place()),
          a -> a.stores().tree(a.place()),
          a -> a.stores().guarded(a.place(), Safeguards.DEFAULT),
          a -> a.stores().outputFolder(a.place()).exists(),
          a -> a.stores().deleteTree(a.place()));

  private record Address(Stores stores, String text) {
    Location place() {
      return stores.locate(text);
    }
  }

  @Test
  void nulEndsAPath() {
    for (Consumer<Address> use : USES) {
      Address tried = new Address(new Stores(new Configuration()), "/tmp/a\0b");
      ReweaveException e = assertThrows(ReweaveException.class, () -> use.accept(tried));
      assertEquals("not a usable address: /tmp/a\\u0000b; give a path or a URI", e.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "s3a:///x, USAGE",
    "s3a://UPPER_case!/x, USAGE",
    "s3a:x, USAGE",
    "file://host/x, USAGE",
    "'', USAGE",
    ":x, USAGE",
    "a:b, USAGE",
    "s3a://key:sec/ret@bucket/x, USAGE",
    "http://127.0.0.1:1/x, UNSUPPORTED_INPUT",
    "https://127.0.0.1:1/x, UNSUPPORTED_INPUT",
    "ftp://127.0.0.1:1/x, STORE_FAILED",
    "har:///x, STORE_FAILED",
    "foo://x/y, ENVIRONMENT",
  })
  void areRefused(String address, ReweaveException.Kind kind) {
    Configuration conf = new Configuration();
    conf.set("fs.ftp.host.port", "1");
    for (Consumer<Address> use : USES) {
      Address tried = new Address(new Stores(conf), address);
      ReweaveException e = assertThrows(ReweaveException.class, () -> use.accept(tried));
      assertEquals(kind, e.kind(), e::getMessage);
    }
  }
}
