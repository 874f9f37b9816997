// For the syntax check on machines without Apple's SDK: of Core Foundation only what our files use, written by us from
// Apple's documentation.
#pragma once

typedef const struct __attribute__((objc_bridge(NSString))) __CFString* CFStringRef;
typedef const struct __attribute__((objc_bridge(NSDictionary))) __CFDictionary* CFDictionaryRef;
typedef const struct __CFAllocator* CFAllocatorRef;

extern "C" const CFAllocatorRef kCFAllocatorDefault;
