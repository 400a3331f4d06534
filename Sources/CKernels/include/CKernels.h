/// The inner loops that Swift does not vectorise as well as C does (measured: see each file). A
/// test compares every function with a plain implementation in Swift.
#pragma once
#include "CKernelsBFloat16.h"
#include "CKernelsElementwise.h"
#include "CKernelsGate.h"
#include "CKernelsGaussian.h"
#include "CKernelsHalf.h"
#include "CKernelsLanes.h"
#include "CKernelsRandom.h"
#include "CKernelsRanking.h"
#include "CKernelsRows.h"
#include "CKernelsSoftmax.h"
#include "CKernelsSparse.h"
#include "CKernelsUnitRows.h"
#include "CKernelsOptimizers.h"
