// For the syntax check on machines without Apple's SDK: of Foundation only what our files use, written by us from
// Apple's documentation. The literals @1, @[], @{} and for-in need their methods here too.
#pragma once

#include <CoreFoundation/CoreFoundation.h>
#include <stddef.h>
#include <stdint.h>

#define NAUTILUS_SINCE(version) __attribute__((availability(macos, introduced = version)))
#define nil nullptr

typedef bool BOOL;
typedef long NSInteger;
typedef unsigned long NSUInteger;
struct NSFastEnumerationState;

@protocol NSObject
- (BOOL)isKindOfClass:(Class)kind;
@end

@protocol NSCopying
@end

__attribute__((objc_root_class))
@interface NSObject <NSObject>
+ (instancetype)alloc;
+ (Class)class;
- (instancetype)init;
@end

@interface NSString : NSObject <NSCopying>
+ (instancetype)stringWithUTF8String:(const char*)text;
- (BOOL)containsString:(NSString*)part;
@property(readonly) const char* UTF8String;
@end

@interface NSNumber : NSObject <NSCopying>
@property(readonly) unsigned long long unsignedLongLongValue;
@end

@interface NSArray <__covariant Element> : NSObject
+ (instancetype)arrayWithObjects:(const Element[])objects count:(NSUInteger)count;
- (Element)objectAtIndexedSubscript:(NSUInteger)index;
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState*)state
                                  objects:(id __unsafe_unretained[])objects
                                    count:(NSUInteger)count;
@property(readonly) NSUInteger count;
@end

@interface NSDictionary <__covariant Key, __covariant Value> : NSObject
+ (instancetype)dictionaryWithObjects:(const Value[])objects
                              forKeys:(const id<NSCopying>[])keys
                                count:(NSUInteger)count;
- (Value)objectForKeyedSubscript:(Key)key;
@property(readonly) NSUInteger count;
@property(readonly, copy) NSArray<Key>* allKeys;
@end

@interface NSError : NSObject
@property(readonly) NSInteger code;
@property(readonly, copy) NSString* localizedDescription;
@end

@interface NSURL : NSObject
+ (NSURL*)fileURLWithPath:(NSString*)path;
@end
