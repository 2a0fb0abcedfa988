package dev.reweave.target.mapping;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MappingsTest {

  /** The list in the code is that of the files. */
  @Test
  void listsTheFilesOfTheFolder() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("conf/mappings"))) {
      assertEquals(
          files
              .map(file -> file.getFileName().toString().replaceFirst("\\.json$", ""))
              .sorted()
              .toList(),
          Mappings.names());
    }
  }

  @Test
  void findsEachByTheNameInItsFile() throws IOException {
    assertEquals(Mappings.names(), Mappings.all().stream().map(Mapping::name).toList());
    for (String name : Mappings.names()) {
      Mapping mapping = Mappings.find(name).orElseThrow();
      assertEquals(name, mapping.name());
      assertEquals(Files.readString(Path.of("conf/mappings", name + ".json")), mapping.json());
    }
    assertEquals(Optional.empty(), Mappings.find("none"));
    assertEquals(Optional.empty(), Mappings.find("../mappings/cogvideox-sat-vae"));
    assertEquals(List.of(), Mappings.recognise(List.of("a"), () -> ModelFacts.NONE));
  }
}
