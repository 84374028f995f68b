"builtin.module"() <{sym_name = "jit_step"}> ({
  "util.func"() <{arg_attrs = [{sparsam.name = "0/emb", sparsam.param = "emb", sparsam.updates = 0 : i64}, {sparsam.name = "0/w", sparsam.param = "w", sparsam.updates = 1 : i64}, {sparsam.name = "1/emb", sparsam.updates = 2 : i64}, {sparsam.name = "1/w", sparsam.updates = 3 : i64}, {sparsam.name = "2"}, {sparsam.name = "3"}], function_type = (tensor<9x4xf32>, tensor<4x4xf32>, tensor<9x4xf32>, tensor<4x4xf32>, tensor<6xi32>, tensor<6x9xf32>) -> (tensor<9x4xf32>, tensor<4x4xf32>, tensor<9x4xf32>, tensor<4x4xf32>, tensor<f32>), res_attrs = [{sparsam.name = "0/emb"}, {sparsam.name = "0/w"}, {sparsam.name = "1/emb"}, {sparsam.name = "1/w"}, {sparsam.name = "2"}], sym_name = "main", sym_visibility = "public"}> ({
  ^bb0(%arg0: tensor<9x4xf32>, %arg1: tensor<4x4xf32>, %arg2: tensor<9x4xf32>, %arg3: tensor<4x4xf32>, %arg4: tensor<6xi32>, %arg5: tensor<6x9xf32>):
    %0 = "arith.constant"() <{value = 1.000000e-01 : f32}> : () -> f32
    %1 = "arith.constant"() <{value = 0.899999976 : f32}> : () -> f32
    %2 = "arith.constant"() <{value = 2.000000e+00 : f32}> : () -> f32
    %3 = "arith.constant"() <{value = 1.000000e+00 : f32}> : () -> f32
    %4 = "arith.constant"() <{value = 0.000000e+00 : f32}> : () -> f32
    %5 = "arith.constant"() <{value = 9 : i32}> : () -> i32
    %6 = "arith.constant"() <{value = 0 : i32}> : () -> i32
    %7 = "arith.constant"() <{value = dense<0.000000e+00> : tensor<9x4xf32>}> : () -> tensor<9x4xf32>
    %8 = "tensor.empty"() : () -> tensor<6xi1>
    %9 = "linalg.generic"(%arg4, %8) <{indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg109: i32, %arg110: i1):
      %126 = "arith.cmpi"(%arg109, %6) <{predicate = 2 : i64}> : (i32, i32) -> i1
      "linalg.yield"(%126) : (i1) -> ()
    }) : (tensor<6xi32>, tensor<6xi1>) -> tensor<6xi1>
    %10 = "tensor.empty"() : () -> tensor<6xi32>
    %11 = "linalg.generic"(%arg4, %10) <{indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg107: i32, %arg108: i32):
      %125 = "arith.addi"(%arg107, %5) <{overflowFlags = #arith.overflow<none>}> : (i32, i32) -> i32
      "linalg.yield"(%125) : (i32) -> ()
    }) : (tensor<6xi32>, tensor<6xi32>) -> tensor<6xi32>
    %12 = "tensor.empty"() : () -> tensor<6xi32>
    %13 = "linalg.generic"(%9, %11, %arg4, %12) <{indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = [#linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 3, 1>}> ({
    ^bb0(%arg103: i1, %arg104: i32, %arg105: i32, %arg106: i32):
      %124 = "arith.select"(%arg103, %arg104, %arg105) : (i1, i32, i32) -> i32
      "linalg.yield"(%124) : (i32) -> ()
    }) : (tensor<6xi1>, tensor<6xi32>, tensor<6xi32>, tensor<6xi32>) -> tensor<6xi32>
    %14 = "tensor.expand_shape"(%13) <{reassociation = [[0, 1]], static_output_shape = array<i64: 6, 1>}> : (tensor<6xi32>) -> tensor<6x1xi32>
    %15 = "tensor.empty"() : () -> tensor<6x1x4xf32>
    %16 = "linalg.generic"(%14, %15) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d1)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg101: i32, %arg102: f32):
      %121 = "arith.index_cast"(%arg101) : (i32) -> index
      %122 = "linalg.index"() <{dim = 2 : i64}> : () -> index
      %123 = "tensor.extract"(%arg0, %121, %122) : (tensor<9x4xf32>, index, index) -> f32
      "linalg.yield"(%123) : (f32) -> ()
    }) : (tensor<6x1xi32>, tensor<6x1x4xf32>) -> tensor<6x1x4xf32>
    %17 = "tensor.collapse_shape"(%16) <{reassociation = [[0], [1, 2]]}> : (tensor<6x1x4xf32>) -> tensor<6x4xf32>
    %18 = "tensor.empty"() : () -> tensor<6x4xf32>
    %19 = "linalg.fill"(%4, %18) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg99: f32, %arg100: f32):
      "linalg.yield"(%arg99) : (f32) -> ()
    }) : (f32, tensor<6x4xf32>) -> tensor<6x4xf32>
    %20 = "linalg.matmul"(%17, %arg1, %19) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg96: f32, %arg97: f32, %arg98: f32):
      %119 = "arith.mulf"(%arg96, %arg97) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      %120 = "arith.addf"(%arg98, %119) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%120) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<4x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %21 = "tensor.empty"() : () -> tensor<6x4xf32>
    %22 = "linalg.generic"(%20, %21) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg94: f32, %arg95: f32):
      %118 = "math.tanh"(%arg94) <{fastmath = #arith.fastmath<none>}> : (f32) -> f32
      "linalg.yield"(%118) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %23 = "tensor.empty"() : () -> tensor<6x4xf32>
    %24 = "linalg.generic"(%22, %23) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg92: f32, %arg93: f32):
      %117 = "arith.subf"(%3, %arg92) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%117) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %25 = "tensor.empty"() : () -> tensor<4x9xf32>
    %26 = "linalg.generic"(%arg0, %25) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg90: f32, %arg91: f32):
      "linalg.yield"(%arg90) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<4x9xf32>) -> tensor<4x9xf32>
    %27 = "tensor.empty"() : () -> tensor<6x9xf32>
    %28 = "linalg.fill"(%4, %27) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg88: f32, %arg89: f32):
      "linalg.yield"(%arg88) : (f32) -> ()
    }) : (f32, tensor<6x9xf32>) -> tensor<6x9xf32>
    %29 = "linalg.matmul"(%22, %26, %28) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg85: f32, %arg86: f32, %arg87: f32):
      %115 = "arith.mulf"(%arg85, %arg86) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      %116 = "arith.addf"(%arg87, %115) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%116) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<4x9xf32>, tensor<6x9xf32>) -> tensor<6x9xf32>
    %30 = "tensor.empty"() : () -> tensor<6x9xf32>
    %31 = "linalg.generic"(%29, %arg5, %30) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg82: f32, %arg83: f32, %arg84: f32):
      %114 = "arith.subf"(%arg82, %arg83) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%114) : (f32) -> ()
    }) : (tensor<6x9xf32>, tensor<6x9xf32>, tensor<6x9xf32>) -> tensor<6x9xf32>
    %32 = "tensor.empty"() : () -> tensor<6x9xf32>
    %33 = "linalg.generic"(%31, %32) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg80: f32, %arg81: f32):
      %113 = "arith.mulf"(%arg80, %arg80) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%113) : (f32) -> ()
    }) : (tensor<6x9xf32>, tensor<6x9xf32>) -> tensor<6x9xf32>
    %34 = "tensor.empty"() : () -> tensor<6x9xf32>
    %35 = "linalg.generic"(%31, %34) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg78: f32, %arg79: f32):
      %112 = "arith.mulf"(%arg78, %2) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%112) : (f32) -> ()
    }) : (tensor<6x9xf32>, tensor<6x9xf32>) -> tensor<6x9xf32>
    %36 = "tensor.empty"() : () -> tensor<f32>
    %37 = "linalg.fill"(%4, %36) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg76: f32, %arg77: f32):
      "linalg.yield"(%arg76) : (f32) -> ()
    }) : (f32, tensor<f32>) -> tensor<f32>
    %38 = "linalg.generic"(%33, %37) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> ()>], iterator_types = [#linalg.iterator_type<reduction>, #linalg.iterator_type<reduction>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg74: f32, %arg75: f32):
      %111 = "arith.addf"(%arg75, %arg74) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%111) : (f32) -> ()
    }) : (tensor<6x9xf32>, tensor<f32>) -> tensor<f32>
    %39 = "tensor.empty"() : () -> tensor<9x6xf32>
    %40 = "linalg.generic"(%35, %39) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg72: f32, %arg73: f32):
      "linalg.yield"(%arg72) : (f32) -> ()
    }) : (tensor<6x9xf32>, tensor<9x6xf32>) -> tensor<9x6xf32>
    %41 = "tensor.empty"() : () -> tensor<9x4xf32>
    %42 = "linalg.fill"(%4, %41) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg70: f32, %arg71: f32):
      "linalg.yield"(%arg70) : (f32) -> ()
    }) : (f32, tensor<9x4xf32>) -> tensor<9x4xf32>
    %43 = "linalg.matmul"(%40, %22, %42) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg67: f32, %arg68: f32, %arg69: f32):
      %109 = "arith.mulf"(%arg67, %arg68) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      %110 = "arith.addf"(%arg69, %109) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%110) : (f32) -> ()
    }) : (tensor<9x6xf32>, tensor<6x4xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %44 = "tensor.empty"() : () -> tensor<4x9xf32>
    %45 = "linalg.generic"(%43, %44) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg65: f32, %arg66: f32):
      "linalg.yield"(%arg65) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<4x9xf32>) -> tensor<4x9xf32>
    %46 = "tensor.empty"() : () -> tensor<9x4xf32>
    %47 = "linalg.generic"(%26, %46) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg63: f32, %arg64: f32):
      "linalg.yield"(%arg63) : (f32) -> ()
    }) : (tensor<4x9xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %48 = "tensor.empty"() : () -> tensor<6x4xf32>
    %49 = "linalg.fill"(%4, %48) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg61: f32, %arg62: f32):
      "linalg.yield"(%arg61) : (f32) -> ()
    }) : (f32, tensor<6x4xf32>) -> tensor<6x4xf32>
    %50 = "linalg.matmul"(%35, %47, %49) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg58: f32, %arg59: f32, %arg60: f32):
      %107 = "arith.mulf"(%arg58, %arg59) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      %108 = "arith.addf"(%arg60, %107) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%108) : (f32) -> ()
    }) : (tensor<6x9xf32>, tensor<9x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %51 = "tensor.empty"() : () -> tensor<9x4xf32>
    %52 = "linalg.generic"(%45, %51) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg56: f32, %arg57: f32):
      "linalg.yield"(%arg56) : (f32) -> ()
    }) : (tensor<4x9xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %53 = "tensor.empty"() : () -> tensor<6x4xf32>
    %54 = "linalg.generic"(%50, %24, %53) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg53: f32, %arg54: f32, %arg55: f32):
      %106 = "arith.mulf"(%arg53, %arg54) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%106) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %55 = "tensor.empty"() : () -> tensor<6x4xf32>
    %56 = "linalg.generic"(%54, %22, %55) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg50: f32, %arg51: f32, %arg52: f32):
      %105 = "arith.mulf"(%arg50, %arg51) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%105) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %57 = "tensor.empty"() : () -> tensor<6x4xf32>
    %58 = "linalg.generic"(%54, %56, %57) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg47: f32, %arg48: f32, %arg49: f32):
      %104 = "arith.addf"(%arg47, %arg48) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%104) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<6x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %59 = "tensor.empty"() : () -> tensor<4x6xf32>
    %60 = "linalg.generic"(%58, %59) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg45: f32, %arg46: f32):
      "linalg.yield"(%arg45) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
    %61 = "tensor.empty"() : () -> tensor<4x4xf32>
    %62 = "linalg.fill"(%4, %61) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg43: f32, %arg44: f32):
      "linalg.yield"(%arg43) : (f32) -> ()
    }) : (f32, tensor<4x4xf32>) -> tensor<4x4xf32>
    %63 = "linalg.matmul"(%60, %17, %62) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg40: f32, %arg41: f32, %arg42: f32):
      %102 = "arith.mulf"(%arg40, %arg41) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      %103 = "arith.addf"(%arg42, %102) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%103) : (f32) -> ()
    }) : (tensor<4x6xf32>, tensor<6x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %64 = "tensor.empty"() : () -> tensor<4x4xf32>
    %65 = "linalg.generic"(%63, %64) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg38: f32, %arg39: f32):
      "linalg.yield"(%arg38) : (f32) -> ()
    }) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %66 = "tensor.empty"() : () -> tensor<4x4xf32>
    %67 = "linalg.generic"(%arg1, %66) <{indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg36: f32, %arg37: f32):
      "linalg.yield"(%arg36) : (f32) -> ()
    }) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %68 = "tensor.empty"() : () -> tensor<6x4xf32>
    %69 = "linalg.fill"(%4, %68) <{operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg34: f32, %arg35: f32):
      "linalg.yield"(%arg34) : (f32) -> ()
    }) : (f32, tensor<6x4xf32>) -> tensor<6x4xf32>
    %70 = "linalg.matmul"(%58, %67, %69) <{indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg31: f32, %arg32: f32, %arg33: f32):
      %100 = "arith.mulf"(%arg31, %arg32) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      %101 = "arith.addf"(%arg33, %100) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%101) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<4x4xf32>, tensor<6x4xf32>) -> tensor<6x4xf32>
    %71 = "iree_linalg_ext.scatter"(%70, %14, %7) <{dimension_map = array<i64: 0>, unique_indices = false}> ({
    ^bb0(%arg29: f32, %arg30: f32):
      %99 = "arith.addf"(%arg30, %arg29) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "iree_linalg_ext.yield"(%99) : (f32) -> ()
    }) : (tensor<6x4xf32>, tensor<6x1xi32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %72 = "tensor.empty"() : () -> tensor<9x4xf32>
    %73 = "linalg.generic"(%52, %71, %72) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg26: f32, %arg27: f32, %arg28: f32):
      %98 = "arith.addf"(%arg26, %arg27) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%98) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<9x4xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %74 = "tensor.empty"() : () -> tensor<9x4xf32>
    %75 = "linalg.generic"(%arg2, %74) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg24: f32, %arg25: f32):
      %97 = "arith.mulf"(%arg24, %1) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%97) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %76 = "tensor.empty"() : () -> tensor<9x4xf32>
    %77 = "linalg.generic"(%75, %73, %76) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg21: f32, %arg22: f32, %arg23: f32):
      %96 = "arith.addf"(%arg21, %arg22) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%96) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<9x4xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %78 = "tensor.empty"() : () -> tensor<4x4xf32>
    %79 = "linalg.generic"(%arg3, %78) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg19: f32, %arg20: f32):
      %95 = "arith.mulf"(%arg19, %1) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%95) : (f32) -> ()
    }) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %80 = "tensor.empty"() : () -> tensor<4x4xf32>
    %81 = "linalg.generic"(%79, %65, %80) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg16: f32, %arg17: f32, %arg18: f32):
      %94 = "arith.addf"(%arg16, %arg17) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%94) : (f32) -> ()
    }) : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %82 = "tensor.empty"() : () -> tensor<9x4xf32>
    %83 = "linalg.generic"(%77, %82) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg14: f32, %arg15: f32):
      %93 = "arith.mulf"(%arg14, %0) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%93) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %84 = "tensor.empty"() : () -> tensor<9x4xf32>
    %85 = "linalg.generic"(%arg0, %83, %84) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg11: f32, %arg12: f32, %arg13: f32):
      %92 = "arith.subf"(%arg11, %arg12) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%92) : (f32) -> ()
    }) : (tensor<9x4xf32>, tensor<9x4xf32>, tensor<9x4xf32>) -> tensor<9x4xf32>
    %86 = "tensor.empty"() : () -> tensor<4x4xf32>
    %87 = "linalg.generic"(%81, %86) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 1, 1>}> ({
    ^bb0(%arg9: f32, %arg10: f32):
      %91 = "arith.mulf"(%arg9, %0) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%91) : (f32) -> ()
    }) : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    %88 = "tensor.empty"() : () -> tensor<4x4xf32>
    %89 = "linalg.generic"(%arg1, %87, %88) <{indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = [#linalg.iterator_type<parallel>, #linalg.iterator_type<parallel>], operandSegmentSizes = array<i32: 2, 1>}> ({
    ^bb0(%arg6: f32, %arg7: f32, %arg8: f32):
      %90 = "arith.subf"(%arg6, %arg7) <{fastmath = #arith.fastmath<none>}> : (f32, f32) -> f32
      "linalg.yield"(%90) : (f32) -> ()
    }) : (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
    "util.return"(%85, %89, %77, %81, %38) : (tensor<9x4xf32>, tensor<4x4xf32>, tensor<9x4xf32>, tensor<4x4xf32>, tensor<f32>) -> ()
  }) : () -> ()
}) : () -> ()