package dev.reweave.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a build says of itself; {@code LauncherIT} asks a whole one. */
class VersionsTest {
  private static Optional<String> commit(String build) throws IOException {
    return Versions.commit(new ByteArrayInputStream(build.getBytes(UTF_8)));
  }

  @Test
  void theCommitIsWhatTheBuildWrote() throws IOException {
    assertEquals(Optional.of("0123456789ab"), commit("# by the build\ncommit=0123456789ab\n"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "commit=", "commit=unknown", "commit=${buildNumber}", "commit=0123"})
  void aBuildOutsideOfGitKnowsNoCommit(String build) throws IOException {
    assertEquals(Optional.empty(), commit(build));
  }
}
