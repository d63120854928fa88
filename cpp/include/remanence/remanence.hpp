// The one include of an embedding program.
#pragma once

#include "remanence/backend.hpp"
#include "remanence/cover.hpp"
#include "remanence/decay.hpp"
#include "remanence/engine.hpp"
#include "remanence/error.hpp"
#include "remanence/graph.hpp"
#include "remanence/graph_store.hpp"
#include "remanence/learning.hpp"
#include "remanence/recall.hpp"
#include "remanence/types.hpp"
