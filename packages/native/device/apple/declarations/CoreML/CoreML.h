// For the syntax check on machines without Apple's SDK: of Core ML only what our files use, written by us from Apple's
// documentation.
#pragma once

#include <CoreVideo/CoreVideo.h>
#include <Foundation/Foundation.h>

typedef NSInteger MLMultiArrayDataType;
enum : MLMultiArrayDataType { MLMultiArrayDataTypeFloat16 = 0x10000 | 16 };
typedef NSInteger MLComputeUnits;
enum : MLComputeUnits { MLComputeUnitsCPUAndNeuralEngine = 3 };

@interface MLMultiArray : NSObject
- (instancetype)initWithPixelBuffer:(CVPixelBufferRef)pixels shape:(NSArray<NSNumber*>*)shape;
@end

@interface MLMultiArrayConstraint : NSObject
@property(readonly, nonatomic) NSArray<NSNumber*>* shape;
@property(readonly, nonatomic) MLMultiArrayDataType dataType;
@end

@interface MLFeatureDescription : NSObject
@property(readonly, nonatomic) MLMultiArrayConstraint* multiArrayConstraint;
@end

@interface MLFeatureValue : NSObject
@property(readonly, nonatomic) MLMultiArray* multiArrayValue;
@end

@protocol MLFeatureProvider
- (MLFeatureValue*)featureValueForName:(NSString*)name;
@end

@interface MLDictionaryFeatureProvider : NSObject <MLFeatureProvider>
- (instancetype)initWithDictionary:(NSDictionary<NSString*, id>*)features error:(NSError**)error;
@end

@interface MLModelDescription : NSObject
@property(readonly, nonatomic) NSDictionary<NSString*, MLFeatureDescription*>* inputDescriptionsByName;
@property(readonly, nonatomic) NSDictionary<NSString*, MLFeatureDescription*>* outputDescriptionsByName;
@end

@interface MLModelConfiguration : NSObject
@property(readwrite) MLComputeUnits computeUnits;
@end

@interface MLPredictionOptions : NSObject
@property(readwrite, copy, nonatomic) NSDictionary<NSString*, id>* outputBackings;
@end

@interface MLModel : NSObject
+ (instancetype)modelWithContentsOfURL:(NSURL*)url
                         configuration:(MLModelConfiguration*)configuration
                                 error:(NSError**)error;
- (id<MLFeatureProvider>)predictionFromFeatures:(id<MLFeatureProvider>)features
                                        options:(MLPredictionOptions*)options
                                          error:(NSError**)error;
@property(readonly, nonatomic) MLModelDescription* modelDescription;
@end

@protocol MLComputeDeviceProtocol <NSObject>
@end

NAUTILUS_SINCE(14.0)
@interface MLNeuralEngineComputeDevice : NSObject <MLComputeDeviceProtocol>
@property(readonly, nonatomic) NSInteger totalCoreCount;
@end

extern "C" NSArray<id<MLComputeDeviceProtocol>>* MLAllComputeDevices(void) NAUTILUS_SINCE(14.0);
