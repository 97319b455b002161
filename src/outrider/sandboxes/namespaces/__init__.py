"""The `namespaces` provider: bubblewrap, overlayfs, seccomp, cgroups and an empty network namespace, as root or not."""
