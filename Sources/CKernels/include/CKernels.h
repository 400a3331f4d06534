/// The inner loops that Swift does not vectorise as well as C does (measured: see each file).
/// Every function here has a plain Swift twin that a test holds it to.
#pragma once
#include "CKernelsElementwise.h"
#include "CKernelsGaussian.h"
#include "CKernelsRandom.h"
#include "CKernelsRanking.h"
#include "CKernelsSoftmax.h"
#include "CKernelsSparse.h"
#include "CKernelsOptimizers.h"
