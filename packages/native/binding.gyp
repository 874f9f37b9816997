# One addon from all folders. The build chooses a folder per platform; the code has no #ifdef forest.
{
  "targets": [
    {
      "target_name": "nautilus",
      "include_dirs": ["."],
      "defines": ["NAPI_VERSION=9", "_FILE_OFFSET_BITS=64"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-fexceptions", "-O2"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_ENABLE_CPP_RTTI": "YES",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "13.0",
        "OTHER_CPLUSPLUSFLAGS": ["-Wall", "-Wextra", "-Werror"]
      },
      "sources": [
        "<!@(node -p \"require('fs').readdirSync('alloc').filter((name) => name.endsWith('.cc')).map((name) => 'alloc/' + name).join(' ')\")",
        "binding/arena.cc",
        "binding/arena_blocks.cc",
        "binding/buffer.cc",
        "binding/call.cc",
        "binding/connection.cc",
        "binding/descriptor.cc",
        "binding/device.cc",
        "binding/device_waiter.cc",
        "binding/environment.cc",
        "binding/exports.cc",
        "binding/host.cc",
        "binding/listener.cc",
        "binding/mapping.cc",
        "binding/movable.cc",
        "binding/poll.cc",
        "binding/segment.cc",
        "binding/wake.cc",
        "binding/window.cc",
        "device/crc32c.cc",
        "device/host/host_device.cc",
        "device/host/worker.cc",
        "device/registry.cc",
        "device/request.cc",
        "<!@(node -p \"require('fs').readdirSync('device/vulkan').filter((name) => name.endsWith('.cc')).map((name) => 'device/vulkan/' + name).join(' ')\")",
        "ipc/endpoint.cc",
        "ipc/frame_stream.cc",
        "os/descriptor_limit.cc",
        "os/failure.cc",
        "os/lock_file.cc",
        "os/process_identity.cc",
        "os/unique_descriptor.cc",
        "os/wake.cc",
        "policy/trim.cc",
        "segment/direct_io.cc",
        "segment/file_mapping.cc",
        "segment/file_segment.cc",
        "segment/inspect.cc",
        "segment/mapped_region.cc",
        "segment/posix/posix_segment.cc",
        "segment/read_only_guard.cc",
        "segment/registry.cc"
      ],
      "conditions": [
        [
          "OS=='linux'",
          {
            "libraries": ["-lrt", "-ldl"],
            "sources": [
              "ipc/linux/platform.cc",
              "os/linux/process_identity.cc",
              "os/linux/wake.cc",
              "probe/linux/cgroup.cc",
              "probe/linux/devices.cc",
              "probe/linux/host.cc",
              "probe/linux/memory.cc",
              "probe/linux/proc_file.cc",
              "segment/linux/copied_pages.cc",
              "segment/linux/direct_io.cc",
              "segment/linux/huge_pages.cc",
              "segment/linux/pages.cc",
              "segment/linux/seals.cc",
              "segment/linux/trim.cc",
              "segment/memfd/memfd_segment.cc"
            ]
          }
        ],
        [
          "OS=='mac'",
          {
            "xcode_settings": {"CLANG_ENABLE_OBJC_ARC": "YES"},
            "link_settings": {
              "libraries": [
                "-framework CoreFoundation",
                "-framework CoreML",
                "-framework CoreVideo",
                "-framework Foundation",
                "-framework IOSurface",
                "-framework Metal"
              ]
            },
            "sources": [
              "device/apple/residency.cc",
              "device/apple/system_limits.mm",
              "device/coreml/detect.mm",
              "device/coreml/run_model.mm",
              "device/coreml/surface_buffer.mm",
              "device/metal/detect.mm",
              "device/metal/encode.mm",
              "device/metal/metal_buffer.mm",
              "device/metal/metal_device.mm",
              "device/metal/residency_sets.mm",
              "ipc/macos/platform.cc",
              "os/macos/process_identity.cc",
              "os/macos/wake.cc",
              "probe/macos/host.cc",
              "segment/macos/copied_pages.cc",
              "segment/macos/direct_io.cc",
              "segment/macos/platform.cc",
              "segment/macos/trim.cc",
              "segment/no_memfd/memfd_segment.cc"
            ]
          }
        ]
      ]
    }
  ]
}
