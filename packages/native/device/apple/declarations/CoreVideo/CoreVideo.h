// For the syntax check on machines without Apple's SDK: of Core Video only what our files use, written by us from
// Apple's documentation.
#pragma once

#include <CoreFoundation/CoreFoundation.h>
#include <IOSurface/IOSurface.h>
#include <stddef.h>
#include <stdint.h>

typedef int32_t CVReturn;
typedef struct __CVBuffer* CVPixelBufferRef;

enum : CVReturn { kCVReturnSuccess = 0 };
enum : uint32_t { kCVPixelFormatType_OneComponent16Half = 'L00h' };

extern "C" {
extern const CFStringRef kCVPixelBufferIOSurfacePropertiesKey;
CVReturn CVPixelBufferCreate(CFAllocatorRef allocator, size_t width, size_t height, uint32_t format,
                             CFDictionaryRef attributes, CVPixelBufferRef* made);
void CVPixelBufferRelease(CVPixelBufferRef buffer);
IOSurfaceRef CVPixelBufferGetIOSurface(CVPixelBufferRef buffer);
}
